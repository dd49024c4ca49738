"""Migrations of `storage.models`, made by Tortoise. Only ever add: tables, columns with `db_default`."""
