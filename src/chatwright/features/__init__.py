"""What the product does, one room per noun."""
