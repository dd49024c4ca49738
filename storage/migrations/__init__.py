"""Migrations of `storage.models`, made by `tortoise -c storage.models.TORTOISE_ORM makemigrations`.

Only ever add: tables, and columns with `db_default` or `null=True`. Changing or removing a column makes Tortoise
rebuild the table without its indexes. The number in front of the file's name is the schema's version.
"""
