"""A worker's hold on its share, as the store needs it: what the last beat said limits what is due and who may write."""

from collections.abc import Collection
from dataclasses import replace

from engine.runtime.sharing import BUCKETS, Standing
from storage.postgres_sharing import PostgresSharing


class Share(PostgresSharing):
    """PostgresSharing that remembers where it stands."""

    standing: Standing | None = None
    """None before the first beat."""

    async def beat(self) -> Standing:
        self.standing = await super().beat()
        return self.standing

    async def give_up(self, buckets: Collection[int]) -> None:
        if self.standing is not None:
            self.standing = replace(self.standing, buckets=self.standing.buckets - frozenset(buckets))
        await super().give_up(buckets)

    async def leave(self) -> None:
        if self.standing is not None:
            self.standing = replace(self.standing, buckets=frozenset())
        await super().leave()

    @property
    def buckets(self) -> list[int] | None:
        """What is due is looked for in these; None: in all."""
        if self.standing is None or len(self.standing.buckets) == BUCKETS:
            return None
        return sorted(self.standing.buckets)

    @property
    def fence(self) -> str:
        """Whose the chats of a commit must be; empty before the first beat."""
        return "" if self.standing is None else self.worker

    @property
    def is_alone(self) -> bool:
        """Nobody else has to be told what is written."""
        return self.standing is not None and self.standing.workers == 1
