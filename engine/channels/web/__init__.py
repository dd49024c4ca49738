"""The browser chat: a page served by this process, with the same engine behind it as every channel has."""
