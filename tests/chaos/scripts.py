"""All scripts by name: those of the engine's own customers, and those of the shop."""

from tests.chaos.script import BY_NAME as OWN
from tests.chaos.shop_script import SHOP_BY_NAME

BY_NAME = {**OWN, **SHOP_BY_NAME}
