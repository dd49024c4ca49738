"""Keys and addresses: pure mathematics. No file, no network, no clock, no log; nothing secret ever leaves a repr."""
