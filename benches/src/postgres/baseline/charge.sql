\set wallet random(1001, 1000 + :wallets)
SELECT charge(:wallet, :share, :fee);
