"""The shop store: stock, orders, money, as laws and as SQL over an open transaction. Knows no plugin and no chat.

Whoever locks rows takes them in this order, or two transactions wait for each other: products by their id, orders,
invoices, customers.
"""
