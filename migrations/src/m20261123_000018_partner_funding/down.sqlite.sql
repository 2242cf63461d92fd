DROP TABLE erased_name;
DROP TABLE end_user_transfer;
DROP TABLE end_user_wallet;
DROP TABLE partner_funding;
