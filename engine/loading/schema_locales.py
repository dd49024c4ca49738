"""The schema of `locales/LANGUAGE.yaml`, the translations of flows into one language. Catalog-free."""

from engine.loading.schema_words import NAME, Schema, of, record, ref

_MARK = "^[a-z]{6}-[a-z]{6}$"


def locale_file() -> Schema:
    """One file of translations."""
    text = "a text, nothing as yet, or {stale: a text}"
    old = ref("label", "The translation of what the text used to be.", "Wie heißen Sie?")
    one = of(["string", "number", "object", "null"], text,
             "The translation. With stale: it is the translation of what the text used to be.", "Wie heißen Sie?",
             {"stale": "Wie heißen Sie?"}, maxLength=8192, required=["stale"], additionalProperties=False,
             properties={"stale": old})  # fmt: skip
    mark = of("string", "twelve small letters, such as kqzvbd-mfwqpa", "Which wording it was made from.",
              "kqzvbd-mfwqpa", pattern=_MARK)  # fmt: skip
    names = {"title": "the name of a flow", "pattern": NAME}
    keys = {
        "texts": of(["object", "null"], "flow: its texts", "The texts of each flow: step.field, such as name.text.",
                    {"hello": {"title": "Hallo", "name.text": "Wie heißen Sie?"}}, propertyNames=names,
                    additionalProperties=of(["object", "null"], "name: text", "The texts of one flow.",
                                            {"name.text": "Wie heißen Sie?"}, additionalProperties=one)),
        "made_from": of("object", "flow: its marks", "Written by `stepgram texts --write`; not for people.",
                        {"hello": {"name.text": "kqzvbd-mfwqpa"}}, additionalProperties=of(
                            "object", "name: mark", "The marks of one flow.", {"name.text": "kqzvbd-mfwqpa"},
                            additionalProperties=mark)),
    }  # fmt: skip
    example = {"texts": {"hello": {"name.text": "Wie heißen Sie?"}}}
    return record("Translations of flows into one language.", keys, ["texts"], example)
