"""A migration's operation that makes a table together with its CHECKs. For migrations only."""

from typing import Any

from tortoise.migrations import operations as ops


class CreateChecked(ops.CreateModel):
    """CreateModel with the `constraints` of its options in the table. Tortoise's own leaves them out, and adds them
    on SQLite afterwards only by making the table anew, without its indexes."""

    async def database_forward(self, app_label: str, old_state: Any, new_state: Any, state_editor: Any = None) -> None:
        """See CreateModel."""
        checks = [
            f'CONSTRAINT "{each.name}" CHECK ({each.check})' for each in (self.options or {}).get("constraints", ())
        ]
        if state_editor is None:
            return
        state_editor._get_inner_statements = lambda: checks
        try:
            await super().database_forward(app_label, old_state, new_state, state_editor)
        finally:
            del state_editor._get_inner_statements
