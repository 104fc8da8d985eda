"""Which answers are still good."""

from acclimate_indexer.confidence import Certainty
from acclimate_server.completion.memory import AnswerMemory, RawAnswer


def test_an_answer_is_one_versions_however_long_its_name_is() -> None:
    memory = AnswerMemory()
    name = "a-repository-whose-name-is-longer-than-anybody-would-like-to-read-it"
    answer = RawAnswer(text="name", is_whole=True, certainty=Certainty())
    memory.keep(f"{name}-20260101T000000-aaaa", (1, 2), answer)

    assert memory.answer_to(f"{name}-20260101T000000-aaaa", (1, 2)) is answer
    assert memory.answer_to(f"{name}-20260202T000000-bbbb", (1, 2)) is None
    assert memory.answer_to(f"{name}-20260101T000000-aaaa", (1, 2, 3)) is None
