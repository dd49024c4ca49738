"""The door for plugin authors: everything a plugin imports from the engine. See plugins/README.md."""

from engine.actions.catalog import (
    ActionSignature,
    Catalog,
    Parameter,
    SourceSignature,
    ValidatorSignature,
    Written,
)
from engine.actions.context import (
    CancelConversation,
    Context,
    FileStore,
    MenuEntry,
    OpenConversation,
    Request,
    SendSignal,
    StartFlow,
    Transaction,
)
from engine.actions.errors import (
    ActionError,
    BadArgument,
    BadResult,
    Failure,
    PluginError,
    Refusal,
    Retryable,
    SignatureError,
    UnknownSecret,
    Unreachable,
    failure,
    retryable,
)
from engine.actions.invoke import invoke
from engine.actions.marks import Direct, File, Location, Page, Rows, Template
from engine.actions.offers import Action, Source, Validator, action, source, validator
from engine.core.values import Money, major, money
from engine.core.verdicts import Accepted, Refused

__all__ = [
    "Accepted", "Action", "ActionError", "ActionSignature", "BadArgument", "BadResult",
    "CancelConversation", "Catalog", "Context", "Direct", "Failure", "File", "FileStore",
    "Location", "MenuEntry", "Money", "OpenConversation", "Page", "Parameter", "PluginError",
    "Refusal", "Refused", "Request", "Retryable", "Rows", "SendSignal", "SignatureError", "Source",
    "SourceSignature", "StartFlow", "Template", "Transaction", "UnknownSecret", "Unreachable",
    "Validator", "ValidatorSignature", "Written", "action", "failure", "invoke", "major", "money",
    "retryable", "source", "validator",
]  # fmt: skip
