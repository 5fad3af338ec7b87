"""Every operation of the product, in one explicit tuple."""
