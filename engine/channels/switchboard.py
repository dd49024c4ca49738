"""One channel out of several: what goes out finds its way by the beginning of the chat's id. Knows no messenger."""

from collections.abc import Mapping

from engine.runtime.ports import Channel, Elsewhere, Outgoing


class Switchboard:
    """Implements `engine.runtime.ports.Channel`. `channels`: by the name before the colon, such as `telegram`."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self._channels = dict(channels)

    async def deliver(self, outgoing: Outgoing) -> None:
        """Let the chat's own channel deliver it. Raises Elsewhere when there is none, and what that one raises."""
        channel = self._channels.get(outgoing.chat.partition(":")[0])
        if channel is None:
            raise Elsewhere("no channel of this process serves this chat")
        await channel.deliver(outgoing)
