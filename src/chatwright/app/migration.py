"""`python -m chatwright.app.migration NAME`: write a migration for what tables.py says and the schema lacks."""

import asyncio
import sys
import tempfile
from pathlib import Path

from alembic import command

from chatwright.app.schema import METADATA
from chatwright.infra.postgres import start_embedded
from chatwright.infra.schema import MIGRATIONS, alembic_config, migrate


def write_migration(name: str) -> None:
    """Compare the tables with a freshly migrated database and write the difference as the next revision."""
    number = len(list((MIGRATIONS / "versions").glob("*.py"))) + 1
    with tempfile.TemporaryDirectory() as folder:
        dsn = start_embedded(Path(folder) / "data").dsn
        if number > 1:
            asyncio.run(migrate(dsn))
        command.revision(alembic_config(dsn, METADATA), name, autogenerate=True, rev_id=f"{number:04d}")


if __name__ == "__main__":
    write_migration(sys.argv[1])
