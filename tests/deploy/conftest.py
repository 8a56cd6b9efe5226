"""What the tests of the deployment share: the secret files, made as a person makes them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import pytest

from examples.deploy import make_secrets
from tests.deploy.deployment import COMPONENTS, DEPLOY, PS7_TLS, Cluster, build_cluster
from tests.support.needs import lacking


@pytest.fixture(scope="session")
def deploy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy `examples/deploy/`, and make the secret files once."""
    folder = tmp_path_factory.mktemp("copy") / "deploy"
    shutil.copytree(DEPLOY, folder, ignore=shutil.ignore_patterns("secrets"))
    (folder / "secrets").mkdir()
    shutil.copy(DEPLOY / "secrets" / "kustomization.yaml", folder / "secrets")
    make_secrets.write(folder / "secrets")
    (folder / "secrets" / "ps7-tls").mkdir(0o700)  # yours to bring
    for name in PS7_TLS.values():
        (folder / "secrets" / "ps7-tls" / name).write_text(name)
    return folder


@pytest.fixture(scope="session")
def build(deploy_folder: Path) -> Callable[..., Cluster]:
    """Return what builds some components, once."""
    if not shutil.which("kustomize"):
        lacking("kustomize", "apt-get install kustomize")
    return cache(partial(build_cluster, deploy_folder))


@pytest.fixture(scope="session")
def cluster(build: Callable[..., Cluster]) -> Cluster:
    """Build the folder as it comes: with stores to try it with, and telemetry."""
    return build("stores", "telemetry")


@pytest.fixture(scope="session")
def everything(build: Callable[..., Cluster]) -> Cluster:
    """Build it with all components, as on OpenShift with certificates for PS7."""
    return build(*COMPONENTS)
