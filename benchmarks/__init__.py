"""How fast the product is, beside what the same machine reaches without it in the same minute."""
