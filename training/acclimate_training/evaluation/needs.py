"""What a hole asks for: only names that stand around it, or names that one must know from elsewhere.

An average says little of what an adapter knows: most holes need only names that stand around them, and some one that
was made after the split and that nobody could know. Around is the pair's text, of which a prompt shows a part, so that
those holes may ask for knowledge, too.
"""

from typing import Literal

from acclimate_indexer.fragment import fragment
from acclimate_indexer.languages.registry import language_named
from acclimate_indexer.pairs import CompletionPair
from acclimate_indexer.vocabulary import words_of

from .names import KnownNames

# From the most that one must know to the least; a hole counts under the first that it needs a name of.
Need = Literal["new", "repository", "library", "file"]


def need_of(pair: CompletionPair, known: KnownNames) -> Need:
    """Where the names of the true middle are to be found.

    `file`: all of them in the text around the hole; `library`: at least one only in a library that could be read;
    `repository`: at least one not in that text, and elsewhere in the repository at the split; `new`: at least one
    nowhere of these.
    """
    parsed = fragment(pair.middle, prefix=pair.prefix, suffix=pair.suffix, language=language_named(pair.language))
    wanted = {word for name in parsed.identifiers for word in words_of(name)}
    unseen = wanted.difference(words_of(pair.prefix), words_of(pair.suffix))
    if not all(known.exists(word, pair.language) for word in unseen):
        return "new"
    if unseen & known.vocabulary.words:
        return "repository"
    return "library" if unseen else "file"
