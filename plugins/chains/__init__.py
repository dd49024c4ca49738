"""The chains: payments are seen by looking at one-time addresses through nodes of the operator's own.

What was seen goes to `storage.shop`, where it is judged. No key of any coin is ever here.
"""

import asyncio

from engine.actions import Context, ServiceContext, service, settings, source
from plugins.chains import conditions
from plugins.chains.conditions import ChainHealth
from plugins.chains.watching import Watch
from storage.shop.policy import PaymentSettings
from storage.shop.settings import ASSETS, ChainSettings

settings_of = settings(ChainSettings)

__all__ = ["health", "settings_of", "watch"]


@service(name="watch")
async def watch(context: ServiceContext) -> None:
    """Looks at every chain that has a node, each for itself, and takes down what came to the addresses of invoices."""
    async with asyncio.TaskGroup() as group:
        for asset in ASSETS:
            group.create_task(Watch(context, asset).run(), name=f"watch {asset}")


@source(transactional=True)
async def health(context: Context) -> list[ChainHealth]:
    """How the chains are: whether their nodes answer, and how old their newest blocks are."""
    return await conditions.health(
        context.work, context.configured(ChainSettings), context.configured(PaymentSettings), context.now
    )
