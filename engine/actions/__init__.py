"""The door for plugin authors: everything a plugin imports from the engine. See plugins/README.md."""

from engine.actions.catalog import (
    ActionSignature,
    Catalog,
    Parameter,
    ServiceSignature,
    SettingsSignature,
    SourceSignature,
    ValidatorSignature,
    WebhookSignature,
    Written,
)
from engine.actions.commands import CommandOffer, cli_command
from engine.actions.configuring import SettingsOffer, Variable, settings
from engine.actions.context import (
    CancelConversation,
    Configured,
    Context,
    FileStore,
    MenuEntry,
    OpenConversation,
    Request,
    SendSignal,
    ServiceContext,
    Speak,
    StartFlow,
    TellChat,
    TellRole,
    Transaction,
    Voiced,
    WebhookContext,
    Work,
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
from engine.actions.services import Service, service
from engine.actions.webhooks import Webhook, webhook
from engine.core.values import Money, major, money
from engine.core.verdicts import Accepted, Refused

__all__ = [
    "Accepted", "Action", "ActionError", "ActionSignature", "BadArgument", "BadResult", "CancelConversation",
    "Catalog", "CommandOffer", "Configured", "Context", "Direct", "Failure", "File", "FileStore", "Location",
    "MenuEntry", "Money", "OpenConversation", "Page", "Parameter", "PluginError", "Refusal", "Refused", "Request",
    "Retryable", "Rows", "SendSignal", "Service", "ServiceContext", "ServiceSignature", "SettingsOffer",
    "SettingsSignature", "SignatureError", "Source", "SourceSignature", "Speak", "StartFlow", "TellChat", "TellRole",
    "Template", "Transaction", "UnknownSecret", "Unreachable", "Validator", "ValidatorSignature", "Variable",
    "Voiced", "Webhook", "WebhookContext", "WebhookSignature", "Work", "Written", "action", "cli_command",
    "failure", "invoke", "major", "money", "retryable", "service", "settings", "source", "validator", "webhook",
]  # fmt: skip
