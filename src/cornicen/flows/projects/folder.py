"""A project folder as a value: its cohorts, connections and syncs, all faults of all files at once.

::

    cohorts/*.yml    one definition each
    syncs.yml        connections, and which cohort goes where
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cornicen.cohorts.definition import Context, Definition, parse
from cornicen.cohorts.operator import Operator
from cornicen.errors import BadDefinition, BadFolder, Fault, NotFound
from cornicen.flows.projects.documents import Document, read
from cornicen.flows.projects.settings import nearest
from cornicen.flows.projects.wiring import WiredConnection, WiredSync, Wiring
from cornicen.flows.vendors import Manifest

ARROW = " → "
"""Between a place in a cohort and the place in a nested one that it leads to."""

SYNCS_FILE = "syncs.yml"


@dataclass(frozen=True)
class WrittenCohort:
    """A cohort as its file has it.

    Args:
        file: Relative to the folder.
        document: As parsed from YAML.
        definition: The same, understood.
    """

    file: str
    document: Mapping[str, object]
    definition: Definition


@dataclass(frozen=True)
class Folder:
    """A project folder without faults.

    Args:
        path: Where it is, absolute.
        cohorts: By slug.
        connections: By slug.
        syncs: In the file's order.
    """

    path: Path
    cohorts: Mapping[str, WrittenCohort] = field(default_factory=dict)
    connections: Mapping[str, WiredConnection] = field(default_factory=dict)
    syncs: tuple[WiredSync, ...] = ()

    @property
    def managed(self) -> str:
        """How objects record that this folder manages them."""
        return f"file:{self.path}"


@dataclass(frozen=True)
class Around:
    """What a folder's files may refer to and be checked against.

    Args:
        operators: The words of the cohort language.
        manifests: The vendors, by name.
        environment: Where ``env:`` references look.
        zone: The project's time zone.
        cohorts: Documents of cohorts that are stored and not this folder's, by slug.
        folders: Where relative file names in those start, by slug.
        connections: Slugs of connections that are stored and not this folder's.
    """

    operators: Mapping[str, Operator]
    manifests: Mapping[str, Manifest]
    environment: Mapping[str, str]
    zone: str = "UTC"
    cohorts: Mapping[str, object] = field(default_factory=dict)
    folders: Mapping[str, str] = field(default_factory=dict)
    connections: frozenset[str] = frozenset()


def load(path: Path, around: Around) -> Folder:
    """Read and check a whole project folder.

    Raises:
        NotFound: Neither ``cohorts/`` has a file nor is there a ``syncs.yml``.
        BadFolder: All faults of all files at once, each with its file and line.
    """
    path = path.resolve()
    files = definition_files(path)
    syncs = next((name for name in (SYNCS_FILE, "syncs.yaml") if (path / name).is_file()), None)
    if not files and syncs is None:
        raise NotFound(
            f"{path} is no project folder.", f"Put definitions into {path / 'cohorts'}, or name another with --folder."
        )
    faults: list[Fault] = []
    documents = [read(file, str(file.relative_to(path))) for file in files]
    cohorts = understand(documents, path, around, faults)
    wiring = None if syncs is None else Wiring(read(path / syncs, syncs), path, around.manifests, around.environment)
    if wiring is not None:
        unread = frozenset(Path(document.file).stem for document in documents if document.faults)
        known = frozenset(cohorts) | frozenset(around.cohorts) | unread
        _dangling(wiring, known, frozenset(wiring.written) | around.connections)
        faults.extend(wiring.faults)
    if faults:
        raise BadFolder(f"The project folder {path} has {len(faults)} fault{'s' if len(faults) > 1 else ''}.", faults)
    understood = {slug: cohort for slug, cohort in cohorts.items() if cohort is not None}
    return Folder(path, understood, *((wiring.connections, tuple(wiring.syncs)) if wiring else ()))


def definition_files(path: Path) -> list[Path]:
    """The definitions' files of a folder, by name."""
    return sorted(file for pattern in ("*.yml", "*.yaml") for file in (path / "cohorts").glob(pattern) if file.is_file())


def understand(documents: list[Document], folder: Path, around: Around, faults: list[Fault]) -> dict[str, WrittenCohort | None]:
    """Parse definitions that may name each other.

    Args:
        documents: One definition each.
        folder: Relative file names in them start here.
        around: What they may refer to.
        faults: What is wrong is added here.

    Returns:
        By slug; None: there is such a cohort, and it has faults.
    """
    written: dict[str, Document] = {}
    for document in documents:
        faults.extend(document.faults)
        slug = document.value.get("cohort") if isinstance(document.value, dict) else None
        if isinstance(slug, str) and slug in written:
            faults.append(
                Fault(document.at("cohort"), f"{slug} is defined in {written[slug].file} too.", "Give one another slug.")
            )
        elif not document.faults:
            written[slug if isinstance(slug, str) else f"\0{document.file}"] = document
    everything = {**around.cohorts, **{slug: document.value for slug, document in written.items()}}
    slugs = tuple(sorted(slug for slug in everything if not slug.startswith("\0")))
    folders = {slug: place for slug, place in around.folders.items() if slug not in written}
    context = Context(around.zone, str(folder), everything.get, slugs, folders)
    found: dict[str, WrittenCohort | None] = {}
    wrong: dict[str, list[Fault]] = {}
    for slug, document in written.items():
        try:
            definition = parse(document.value, around.operators, context)
        except BadDefinition as error:
            found[slug], wrong[slug] = None, error.faults
        else:
            plain = document.value if isinstance(document.value, dict) else {}  # parse refuses everything else
            found[definition.slug] = WrittenCohort(document.file, plain, definition)
    for slug, own in wrong.items():
        at = written[slug].at
        faults.extend(Fault(at(fault.path), fault.what, fault.fix) for fault in own if not _told(fault, wrong))
    return found


def _told(fault: Fault, wrong: Mapping[str, list[Fault]]) -> bool:
    """Whether a fault of a nested cohort is told at that cohort's own file."""
    slug, _, path = fault.path.rpartition(ARROW)[2].partition(".")
    return ARROW in fault.path and any((path, fault.what) == (own.path, own.what) for own in wrong.get(slug, []))


def _dangling(wiring: Wiring, cohorts: frozenset[str], connections: frozenset[str]) -> None:
    """Find syncs that name what is not there."""
    for sync in wiring.syncs:
        if sync.cohort not in cohorts:
            wiring.fault(f"{sync.path}.cohort", f"names no cohort: {sync.cohort!r}.", nearest(sync.cohort, [*cohorts]))
        if sync.to not in connections:
            wiring.fault(f"{sync.path}.to", f"names no connection: {sync.to!r}.", nearest(sync.to, [*connections]))
