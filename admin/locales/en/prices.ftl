# prices
