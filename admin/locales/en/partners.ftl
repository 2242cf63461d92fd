# partners
