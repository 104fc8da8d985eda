"""What a long operation reported."""


class Reports:
    """Takes reports and keeps the stages in order."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.last: tuple[int, int] = (0, 0)

    def __call__(self, stage: str, done: int, of: int) -> None:
        if stage not in self.stages:
            self.stages.append(stage)
        self.last = (done, of)
