\set wallet random(1001, 1000 + :wallets)
SELECT place_hold(:wallet, :share::bigint + :fee::bigint) AS made \gset
SELECT capture(:made, :share);
