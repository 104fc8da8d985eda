"""Languages without a grammar, a team's own above all: they go by lines and indentation."""

from collections import Counter
from collections.abc import Iterable

from .language import Language

MIN_FILES = 20  # that share an extension: fewer are files, not a language
# What is data, prose, markup or no text at all: nobody wants to have it completed from examples.
_NO_CODE = """
json jsonl json5 yaml yml toml ini cfg conf env properties csv tsv xml xsd xsl svg lock sum mod
md mdx rst adoc txt tex bib html htm xhtml css scss sass less po pot mo ftl
png jpg jpeg gif bmp ico webp avif pdf ps eps ttf otf woff woff2 eot mp3 mp4 wav ogg webm mov
zip gz bz2 xz zst tar tgz 7z jar war whl egg so dll dylib exe bin dat db sqlite pickle pkl npy npz parquet
snap golden expected out log diff patch map pem crt cer key pub asc sig p12
ipynb drawio puml dot excalidraw sample template dist bak orig tmp pyc pyo class o a lib obj
"""
NO_CODE = frozenset(f".{extension}" for extension in _NO_CODE.split())


def plain_extensions(paths: Iterable[str], known: frozenset[str]) -> frozenset[str]:
    """The extensions that are a language of this repository, though no entry knows them."""
    counts: Counter[str] = Counter()
    for path in paths:
        stem, dot, extension = path.rpartition("/")[2].rpartition(".")
        if dot and stem and extension.isascii() and extension.isalnum():
            counts[f".{extension.lower()}"] += 1
    unknown = (extension for extension, count in counts.items() if count >= MIN_FILES)
    return frozenset(extension for extension in unknown if extension not in known and extension not in NO_CODE)


def plain_language(extension: str) -> Language:
    """The language of files with this extension."""
    return Language(
        name=extension.removeprefix("."),
        extensions=(extension,),
        grammar=None,
        blocks="indentation",
        comment="",
        lexer="plain",
        spans="",
    )
