"""After a promotion: the same recipe fitted again on everything up to HEAD, served by the verdict of who was judged.

The adapter that was judged has not seen the newest code, which was held out to judge it; that code is what its users
work on. The refitted one has seen all of it, so that nothing that was written until then can judge it: it inherits the
verdict, whose figures stay where they are, and is judged by what is committed later. Where it loses there beyond doubt
it is withdrawn, and the adapter that was judged serves again. When that one's own verdict falls, so does this one's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from acclimate_indexer.dataset import Dataset, MiningOptions, Stages, mine
from acclimate_indexer.errors import AcclimateError, AdapterError
from acclimate_indexer.general.sources import Root
from acclimate_indexer.home import RepositoryHome
from acclimate_indexer.mining.split import commits_since
from acclimate_indexer.repository import Repository

from .control import General
from .control_training import primer_of
from .evaluation.contenders import ADAPTER, BASE, CONTROL
from .evaluation.unfinished import REFIT_OF
from .job import RefitPolicy
from .learning import enough_examples, published
from .lineage import Setting
from .parentage import origin_of, total_steps
from .promotion import Check, Evidence, Figures, Thresholds, secrets_check
from .recipe import Device, Recipe
from .registry import Adapter, AdapterRegistry
from .reporting import Run
from .start import Origin
from .task import Lesson

LATER_CODE = "later_code"  # the one check of an inherited verdict


def is_wanted(policy: RefitPolicy, device: Device) -> bool:
    """By itself only on a GPU: on a processor it would take as many minutes again."""
    return policy == "always" or (policy == "auto" and device == "cuda")


def judged_for(adapter: Adapter) -> str | None:
    """The version whose verdict a refitted adapter has inherited; None for one with a verdict of its own."""
    found = adapter.record.get(REFIT_OF)
    return None if found is None else str(found)


def refit_of(registry: AdapterRegistry, adapter: Adapter) -> Adapter | None:
    """The newest refit of an adapter, also one that was withdrawn."""
    return next((each for each in reversed(registry.versions()) if judged_for(each) == adapter.version), None)


def refitted(
    run: Run,
    setting: Setting,
    adapter: Adapter,
    repository: Repository,
    home: RepositoryHome,
    *,
    roots: Sequence[Root] | None = None,
) -> str | None:
    """Fits the recipe of a promoted adapter that is in use again, once, and takes the result into use.

    Args:
        roots: Where code that is not the repository's lies; None looks for it on this machine.

    Returns:
        Its version; None where nothing was to be done, or it did not come to an end, which a note says.
    """
    registry = AdapterRegistry(home)
    live = registry.live()
    if adapter.state != "promoted" or live is None or live.version != adapter.version:
        return None
    if judged_for(adapter) is not None or refit_of(registry, adapter) is not None:
        return None
    try:
        again = _fitted_again(run, setting, adapter, repository, home, roots)
    except AcclimateError as error:  # what was promoted is in use, and stays so
        run.note(f"{adapter.version} was not fitted again on everything up to HEAD: {error}")
        return None
    live = registry.live()
    if live is not None and live.version == adapter.version:  # nobody has decided otherwise meanwhile
        registry.judge(again, {"verdict": again.record["verdict"]})
    run.note(f"{again.version} was fitted again on everything up to HEAD; its verdict is that of {adapter.version}.")
    return again.version


def mined(run: Run, repository: Repository, home: RepositoryHome, **unusual: Any) -> Dataset:
    """The data set of HEAD by the job's settings and these."""
    with run.phase("mine") as advance:
        stages = Stages(lambda done, of, said: advance(done, of, None, said))
        return mine(repository, home, MiningOptions.from_settings({**run.job.mining, **unusual}), stages)


def has_later_code(adapter: Adapter, repository: Repository) -> bool:
    """Whether anything was committed after an adapter's data, on this main line."""
    return bool(commits_since(repository, repository.head(), str(adapter.record["dataset"]["commit"])))


def later_code(run: Run, adapter: Adapter, repository: Repository, home: RepositoryHome) -> Dataset | None:
    """A data set that asks what was committed after an adapter's data; None if nothing was, on this main line."""
    if not has_later_code(adapter, repository):
        return None
    return mined(run, repository, home, since=str(adapter.record["dataset"]["commit"]))


def later_verdict(adapter: Adapter, evidence: Evidence, limits: Thresholds) -> dict[str, Any]:
    """The inherited verdict with what later code says of it; its one check does not hold where it lost there."""
    known = adapter.record["verdict"]
    check = _on_later_code(evidence, limits)
    inherited = str(known.get("reason", "")).partition(" On code written since")[0]
    return {**known, "reason": f"{inherited} {check.said}", "checks": [asdict(check)]}


def judge_inherited(
    registry: AdapterRegistry, adapter: Adapter, evidence: Evidence, limits: Thresholds, changes: Mapping[str, Any]
) -> Adapter:
    """Writes what was measured on later code, and withdraws the adapter where it lost."""
    verdict = later_verdict(adapter, evidence, limits)
    adapter = registry.update(adapter, {**changes, "verdict": verdict})
    (check,) = verdict["checks"]
    if check["passed"] is False and not adapter.is_withdrawn:
        registry.withdraw(adapter.version, str(check["said"]))
    return registry.get(adapter.version)


def withdraw_with(registry: AdapterRegistry, adapter: Adapter, state: str) -> None:
    """To be called when an adapter that was judged again is no longer promoted: its refit has no verdict then."""
    refit = refit_of(registry, adapter)
    if refit is not None and not refit.is_withdrawn:
        registry.withdraw(refit.version, f"{adapter.version}, whose verdict it had inherited, is now {state}.")


def _fitted_again(
    run: Run,
    setting: Setting,
    adapter: Adapter,
    repository: Repository,
    home: RepositoryHome,
    roots: Sequence[Root] | None,
) -> Adapter:
    record = adapter.record
    dataset = mined(run, repository, home, hold_out=False)
    setting = replace(
        setting.as_trained(adapter),
        dataset=dataset,
        recipe=Recipe.for_device(setting.device, record["recipe"]),
        minutes=float(record["minutes"]),
        max_pairs=record["max_pairs"],
        seed=int(record["seed"]),
    )
    begin_at = _begun_at(run, adapter, home)
    is_lost = begin_at is None and total_steps(adapter) > int(record["steps"])
    steps = total_steps(adapter) if is_lost else _steps(adapter)
    lesson = Lesson(
        phase="refit",
        examples=enough_examples(run, setting, General.beside(repository, dataset, run, roots=roots)),
        validation=(),
        fingerprint=f"refit-{adapter.version}-{setting.fingerprint}",
        steps=steps,
        begin_at=begin_at,
    )
    facts = {
        "verdict": _inherited(adapter),
        "forced": False,
        "review_verdict": record["review_verdict"],
        "calibration": record.get("calibration", {}),  # of the same recipe on other code; later code makes its own
        "control": record.get("control"),
        REFIT_OF: adapter.version,
        "parent": None if begin_at is None else record.get("parent"),
        "primer": None if begin_at is None else record.get("primer"),
    }
    return published(run, setting, lesson, home, facts)


def _inherited(adapter: Adapter) -> dict[str, Any]:
    known = adapter.record["verdict"]
    return {
        "state": "promoted",
        "reason": f"Inherited from {adapter.version}, whose recipe was fitted again on everything up to HEAD.",
        "candidate": known.get("candidate"),
        "checks": [],
        "inherited_from": adapter.version,
    }


def _begun_at(run: Run, adapter: Adapter, home: RepositoryHome) -> Origin | None:
    """What the adapter began from, and its refit does, too; None if that was nothing, or is gone."""
    if (parent := adapter.record.get("parent")) is None:
        primer = primer_of(adapter, run)
        return None if primer is None else primer.origin
    try:
        return origin_of(AdapterRegistry(home).get_verified(str(parent)))
    except AdapterError:
        return None


def _steps(adapter: Adapter) -> int:
    """As many as did the adapter good: there is nothing left to tell when it gets worse."""
    record = adapter.record
    ended_early = int(record["stopped_at"]) < int(record["steps"])
    return int((record["best_step"] if ended_early else None) or record["steps"])


def _on_later_code(evidence: Evidence, limits: Thresholds) -> Check:
    if evidence.secrets_told:
        return Check(name=LATER_CODE, passed=False, said=secrets_check(evidence).said)
    findings = {each.name: evidence.difference(ADAPTER.name, each.name) for each in (BASE, CONTROL)}
    compared = {name: found for name, found in findings.items() if int(found.get("loss_n", 0)) >= limits.min_pairs}
    if not compared:
        said = f"On code written since it is not judged yet: there are fewer than {limits.min_pairs} pairs."
        return Check(name=LATER_CODE, passed=None, said=said)
    lost = [name for name, found in compared.items() if found["loss_interval"][0] > 0]
    said = "; ".join(_compared_words(name, found) for name, found in compared.items())
    return Check(name=LATER_CODE, passed=not lost, said=f"On code written since its loss differs from {said}.")


def _compared_words(name: str, found: Figures) -> str:
    low, high = found["loss_interval"]
    figures = f"95% interval {low:+.3f} to {high:+.3f}, n {found['loss_n']}"
    return f"the {name}'s by {found['loss']:+.3f} nats a token ({figures})"
