# movements
