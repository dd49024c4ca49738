"""The tables of the shop and its payments, for the memory store; in a file the migrations make them.

A test keeps both alike. Nothing else stands here.
"""

from typing import Final

SHOP_TABLES: Final = """
CREATE TABLE shop_categories (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    parent_id BIGINT,
    name TEXT NOT NULL,
    position INT NOT NULL,
    hidden INT NOT NULL,
    path VARCHAR(500) UNIQUE
);
CREATE INDEX shop_categories_parent ON shop_categories (parent_id, position);
CREATE TABLE shop_products (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    sku VARCHAR(64) NOT NULL UNIQUE,
    category_id BIGINT,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    price BIGINT NOT NULL,
    currency VARCHAR(8) NOT NULL,
    stock BIGINT NOT NULL,
    reserved BIGINT NOT NULL,
    picture TEXT,
    delivers TEXT,
    position INT NOT NULL,
    active INT NOT NULL,
    origin VARCHAR(32) NOT NULL,
    digital INT NOT NULL DEFAULT 0,
    CONSTRAINT shop_products_price CHECK (price >= 0),
    CONSTRAINT shop_products_stock CHECK (stock >= 0),
    CONSTRAINT shop_products_reserved CHECK (reserved >= 0),
    CONSTRAINT shop_products_held CHECK (reserved <= stock)
);
CREATE INDEX shop_products_category ON shop_products (category_id, position);
CREATE TABLE shop_goods (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    product_id BIGINT NOT NULL,
    content TEXT NOT NULL,
    order_id VARCHAR(20),
    digest VARCHAR(64) NOT NULL,
    UNIQUE (product_id, digest)
);
CREATE INDEX shop_goods_free ON shop_goods (product_id, order_id);
CREATE INDEX shop_goods_order ON shop_goods (order_id);
CREATE TABLE shop_customers (
    customer VARCHAR(128) NOT NULL PRIMARY KEY,
    chat VARCHAR(128) NOT NULL,
    name TEXT NOT NULL,
    language VARCHAR(16) NOT NULL,
    strikes INT NOT NULL,
    last_strike_at BIGINT,
    blocked INT NOT NULL,
    wallet BIGINT NOT NULL,
    currency VARCHAR(8) NOT NULL,
    cart_version BIGINT NOT NULL,
    CONSTRAINT shop_customers_count CHECK (strikes >= 0),
    CONSTRAINT shop_customers_wallet CHECK (wallet >= 0)
);
CREATE INDEX shop_customers_strikes ON shop_customers (strikes);
CREATE TABLE shop_cart_lines (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    customer VARCHAR(128) NOT NULL,
    product_id BIGINT NOT NULL,
    quantity INT NOT NULL,
    added_at BIGINT NOT NULL,
    UNIQUE (customer, product_id),
    CONSTRAINT shop_cart_lines_quantity CHECK (quantity > 0)
);
CREATE TABLE shop_orders (
    id VARCHAR(20) NOT NULL PRIMARY KEY,
    number VARCHAR(32) NOT NULL UNIQUE,
    customer VARCHAR(128) NOT NULL,
    chat VARCHAR(128) NOT NULL,
    status VARCHAR(16) NOT NULL,
    total BIGINT NOT NULL,
    currency VARCHAR(8) NOT NULL,
    pay_with VARCHAR(32) NOT NULL,
    key VARCHAR(200) NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    paid_at BIGINT,
    shipped_at BIGINT,
    closed_at BIGINT,
    reason TEXT NOT NULL,
    tracking TEXT NOT NULL,
    extra TEXT NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT shop_orders_total CHECK (total >= 0),
    CONSTRAINT shop_orders_known CHECK (status IN ('created', 'paid', 'shipped', 'cancelled', 'expired'))
);
CREATE INDEX shop_orders_customer ON shop_orders (customer, created_at);
CREATE INDEX shop_orders_status ON shop_orders (status, created_at);
CREATE TABLE shop_order_lines (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    order_id VARCHAR(20) NOT NULL,
    product_id BIGINT NOT NULL,
    sku VARCHAR(64) NOT NULL,
    name TEXT NOT NULL,
    price BIGINT NOT NULL,
    quantity INT NOT NULL,
    sold INT NOT NULL DEFAULT 0,
    UNIQUE (order_id, product_id),
    CONSTRAINT shop_order_lines_price CHECK (price >= 0),
    CONSTRAINT shop_order_lines_quantity CHECK (quantity > 0),
    CONSTRAINT shop_order_lines_sold CHECK (sold >= 0 AND sold <= quantity)
);
CREATE TABLE shop_reservations (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    order_id VARCHAR(20) NOT NULL,
    product_id BIGINT NOT NULL,
    quantity INT NOT NULL,
    UNIQUE (order_id, product_id),
    CONSTRAINT shop_reservations_quantity CHECK (quantity > 0)
);
CREATE INDEX shop_reservations_product ON shop_reservations (product_id);
CREATE TABLE pay_quotes (
    id VARCHAR(20) NOT NULL PRIMARY KEY,
    asset VARCHAR(16) NOT NULL,
    currency VARCHAR(8) NOT NULL,
    total BIGINT NOT NULL,
    amount TEXT NOT NULL,
    rate TEXT NOT NULL,
    at BIGINT NOT NULL,
    until BIGINT NOT NULL
);
CREATE INDEX pay_quotes_until ON pay_quotes (until);
CREATE TABLE pay_rates (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    asset VARCHAR(16) NOT NULL,
    currency VARCHAR(8) NOT NULL,
    rate TEXT NOT NULL,
    source VARCHAR(64) NOT NULL,
    at BIGINT NOT NULL,
    UNIQUE (asset, currency, source)
);
CREATE TABLE pay_invoices (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    order_id VARCHAR(20) NOT NULL UNIQUE,
    customer VARCHAR(128) NOT NULL,
    chat VARCHAR(128) NOT NULL,
    asset VARCHAR(16) NOT NULL,
    address VARCHAR(128) NOT NULL,
    path VARCHAR(64) NOT NULL,
    amount TEXT NOT NULL,
    total BIGINT NOT NULL,
    currency VARCHAR(8) NOT NULL,
    rate TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    monitor_until BIGINT NOT NULL,
    status VARCHAR(16) NOT NULL,
    flags TEXT NOT NULL,
    received TEXT NOT NULL,
    confirmed TEXT NOT NULL,
    extended INT NOT NULL,
    warned INT NOT NULL,
    policy TEXT NOT NULL,
    due_at BIGINT,
    version BIGINT NOT NULL,
    UNIQUE (asset, address),
    CONSTRAINT pay_invoices_total CHECK (total >= 0),
    CONSTRAINT pay_invoices_known CHECK (status IN ('new', 'processing', 'settled', 'expired', 'cancelled', 'invalid'))
);
CREATE INDEX pay_invoices_due ON pay_invoices (due_at);
CREATE INDEX pay_invoices_watched ON pay_invoices (asset, monitor_until);
CREATE INDEX pay_invoices_customer ON pay_invoices (customer);
CREATE TABLE pay_ledger (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    invoice_id BIGINT,
    asset VARCHAR(16) NOT NULL,
    address VARCHAR(128) NOT NULL,
    txid VARCHAR(128) NOT NULL,
    position VARCHAR(64) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    amount TEXT NOT NULL,
    height BIGINT,
    block VARCHAR(128),
    at BIGINT NOT NULL,
    source VARCHAR(64) NOT NULL,
    key VARCHAR(400) NOT NULL UNIQUE,
    CONSTRAINT pay_ledger_known CHECK (kind IN ('seen', 'included', 'withdrawn', 'manual', 'webhook'))
);
CREATE INDEX pay_ledger_invoice ON pay_ledger (invoice_id);
CREATE INDEX pay_ledger_address ON pay_ledger (asset, address);
CREATE TABLE pay_refunds (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    invoice_id BIGINT NOT NULL,
    asset VARCHAR(16) NOT NULL,
    amount TEXT NOT NULL,
    reason TEXT NOT NULL,
    status VARCHAR(16) NOT NULL,
    at BIGINT NOT NULL,
    closed_at BIGINT,
    note TEXT NOT NULL,
    key VARCHAR(200) NOT NULL UNIQUE,
    CONSTRAINT pay_refunds_known CHECK (status IN ('due', 'credited', 'refunded', 'kept'))
);
CREATE INDEX pay_refunds_status ON pay_refunds (status, at);
CREATE INDEX pay_refunds_invoice ON pay_refunds (invoice_id);
CREATE TABLE pay_cases (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    order_id VARCHAR(20) NOT NULL,
    invoice_id BIGINT,
    kind VARCHAR(32) NOT NULL,
    text TEXT NOT NULL,
    status VARCHAR(16) NOT NULL,
    at BIGINT NOT NULL,
    closed_at BIGINT,
    answer TEXT NOT NULL,
    key VARCHAR(200) NOT NULL UNIQUE,
    CONSTRAINT pay_cases_known CHECK (status IN ('open', 'closed'))
);
CREATE INDEX pay_cases_status ON pay_cases (status, at);
CREATE INDEX pay_cases_order ON pay_cases (order_id);
CREATE TABLE pay_chains (
    asset VARCHAR(16) NOT NULL PRIMARY KEY,
    height BIGINT NOT NULL,
    block VARCHAR(128) NOT NULL,
    tip_at BIGINT NOT NULL,
    polled_at BIGINT NOT NULL,
    cursor TEXT NOT NULL
);
CREATE TABLE pay_pool (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    asset VARCHAR(16) NOT NULL,
    account VARCHAR(64) NOT NULL,
    position BIGINT NOT NULL,
    address VARCHAR(128) NOT NULL UNIQUE,
    invoice_id BIGINT,
    UNIQUE (asset, account, position)
);
CREATE TABLE pay_indexes (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    asset VARCHAR(16) NOT NULL,
    account VARCHAR(128) NOT NULL,
    next BIGINT NOT NULL,
    UNIQUE (asset, account),
    CONSTRAINT pay_indexes_next CHECK (next >= 0)
);
CREATE TABLE pay_audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at BIGINT NOT NULL,
    who VARCHAR(128) NOT NULL,
    what VARCHAR(64) NOT NULL,
    order_id VARCHAR(20) NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX pay_audit_order ON pay_audit (order_id);
"""
