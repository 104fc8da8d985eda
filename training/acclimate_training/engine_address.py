"""How an engine is reached: where it listens, who may ask, whom it is believed, and which folder it can read.

Every client of an engine is made here, so that the key, the certificates and the proxy are the same everywhere. An
address travels to a training child by environment, never in its job and never on a command line.
"""

import ipaddress
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from acclimate_indexer.errors import AdapterError, EngineError

from .shared_adapters import SharedFolder

ENGINE_URL = "ACCLIMATE_ENGINE_URL"
ENGINE_KEY = "ACCLIMATE_ENGINE_KEY"
ENGINE_CA_FILE = "ACCLIMATE_ENGINE_CA_FILE"
ENGINE_ADAPTERS_FOLDER = "ACCLIMATE_ENGINE_ADAPTERS_FOLDER"
ENGINE_ADAPTERS_FOLDER_THERE = "ACCLIMATE_ENGINE_ADAPTERS_FOLDER_THERE"
VARIABLES = (ENGINE_URL, ENGINE_KEY, ENGINE_CA_FILE, ENGINE_ADAPTERS_FOLDER, ENGINE_ADAPTERS_FOLDER_THERE)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineAddress:
    """Where an engine listens. The key travels in a header only; an empty one sends none.

    Attributes:
        ca_file: Certificates to trust beside the usual, for https.
        shared: A folder that the engine can read, too; None where it reads what we do.
    """

    url: str
    key: str = ""
    ca_file: Path | None = None
    shared: SharedFolder | None = None

    def __repr__(self) -> str:
        return f"EngineAddress(url={self.url!r})"  # the key must not reach a log

    @property
    def is_loopback(self) -> bool:
        host = urlsplit(self.url).hostname or ""
        try:
            return host == "localhost" or ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    @property
    def tells_key(self) -> bool:
        """Whether everybody on the way can read the key, and the code with it."""
        return bool(self.key) and not self.is_loopback and urlsplit(self.url).scheme == "http"

    def http(self, timeout: httpx.Timeout | float) -> httpx.AsyncClient:
        """A client for code that awaits.

        Raises:
            EngineError: `engine.ca_file` cannot be used.
        """
        return httpx.AsyncClient(timeout=timeout, **self._how())

    def blocking_http(self, timeout: httpx.Timeout | float) -> httpx.Client:
        """A client for code that waits. Raises as `http` does."""
        return httpx.Client(timeout=timeout, **self._how())

    def path_of_adapter(self, name: str, folder: Path) -> str:
        """How the engine calls this folder, which is copied first to where it can read it.

        Raises:
            AdapterError: It cannot read it, or another adapter has its name there.
            EngineError: `engine.adapters_folder` cannot be written.
            DiskFull: There is no room there.
        """
        if self.shared is not None:
            return self.shared.place(name, folder)
        if not self.is_loopback:
            raise AdapterError(
                f"The engine at {self.url!r} is on another machine, which cannot read {name!r}. Set "
                "`engine.adapters_folder` to a folder that both machines have, and `engine.adapters_folder_there` if "
                "it is called otherwise there."
            )
        return str(folder)

    def to_environment(self) -> dict[str, str]:
        """For a child; what is empty is left out."""
        shared = self.shared
        values = {
            ENGINE_URL: self.url,
            ENGINE_KEY: self.key,
            ENGINE_CA_FILE: "" if self.ca_file is None else str(self.ca_file),
            ENGINE_ADAPTERS_FOLDER: "" if shared is None else str(shared.here),
            ENGINE_ADAPTERS_FOLDER_THERE: "" if shared is None else shared.there,
        }
        return {name: value for name, value in values.items() if value}

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self | None:
        """The engine that whoever started this process holds; None if there is none."""
        url = environ.get(ENGINE_URL)
        if not url:
            return None
        ca_file = environ.get(ENGINE_CA_FILE)
        return cls(
            url=url,
            key=environ.get(ENGINE_KEY, ""),
            ca_file=Path(ca_file) if ca_file else None,
            shared=SharedFolder.of(
                environ.get(ENGINE_ADAPTERS_FOLDER, ""), environ.get(ENGINE_ADAPTERS_FOLDER_THERE, "")
            ),
        )

    def _how(self) -> dict[str, Any]:
        return {
            "base_url": self.url.rstrip("/").removesuffix("/v1"),
            "headers": {"Authorization": f"Bearer {self.key}"} if self.key else {},
            "trust_env": not self.is_loopback,  # a proxy from the environment is for far engines only
            "verify": self._trusted(),
        }

    def _trusted(self) -> ssl.SSLContext | bool:
        if self.ca_file is None or urlsplit(self.url).scheme != "https":
            return True
        context = httpx.create_ssl_context()
        try:
            context.load_verify_locations(self.ca_file)
        except OSError as error:  # of which ssl.SSLError is one
            raise EngineError(
                f"`engine.ca_file` is {str(self.ca_file)!r}, which holds no certificates that can be read ({error}). "
                "It must be a PEM file."
            ) from error
        return context
