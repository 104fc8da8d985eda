"""Faults planted by hand in short functions: each stands as it should be, and as somebody wrote it on a bad day.

None is taken from anywhere. `sound` occurs once in the code, and `faulty` takes its place.
"""

from dataclasses import dataclass
from textwrap import dedent


@dataclass(frozen=True, slots=True, kw_only=True)
class SeededFault:
    """One function, and what goes wrong in it."""

    kind: str
    code: str
    sound: str
    faulty: str

    @property
    def spoiled(self) -> str:
        assert self.code.count(self.sound) == 1, f"{self.sound!r} stands once in the function"
        return self.code.replace(self.sound, self.faulty)


def _fault(kind: str, code: str, sound: str, faulty: str) -> SeededFault:
    return SeededFault(kind=kind, code=dedent(code).strip("\n"), sound=sound, faulty=faulty)


_SQL = "sql_interpolation"
_SWALLOWED = "swallowed_exception"
_LEAK = "resource_not_closed"
_AWAIT = "missing_await"
_DEFAULT = "mutable_default"
_BOUND = "off_by_one"
_SECRET = "secret_in_code"  # noqa: S105 - the name of a kind

SEEDED_FAULTS = (
    _fault(
        _SQL,
        """
        def orders_of(connection, customer):
            cursor = connection.cursor()
            cursor.execute("SELECT id, total FROM orders WHERE customer = ?", (customer,))
            return cursor.fetchall()
        """,
        '"SELECT id, total FROM orders WHERE customer = ?", (customer,)',
        "f\"SELECT id, total FROM orders WHERE customer = '{customer}'\"",
    ),
    _fault(
        _SQL,
        """
        def rename_tag(database, old, new):
            with database.transaction() as step:
                changed = step.execute("UPDATE tags SET name = %s WHERE name = %s", (new, old))
            return changed.rowcount
        """,
        '"UPDATE tags SET name = %s WHERE name = %s", (new, old)',
        '"UPDATE tags SET name = \'" + new + "\' WHERE name = \'" + old + "\'"',
    ),
    _fault(
        _SQL,
        """
        def forget_device(store, serial):
            removed = store.execute("DELETE FROM devices WHERE serial = :serial", {"serial": serial})
            if not removed.rowcount:
                raise LookupError(serial)
        """,
        '"DELETE FROM devices WHERE serial = :serial", {"serial": serial}',
        "\"DELETE FROM devices WHERE serial = '%s'\" % serial",
    ),
    _fault(
        _SQL,
        """
        async def users_like(pool, beginning):
            async with pool.acquire() as connection:
                rows = await connection.fetch("SELECT name FROM users WHERE name LIKE $1", beginning + "%")
            return [row["name"] for row in rows]
        """,
        '"SELECT name FROM users WHERE name LIKE $1", beginning + "%"',
        "f\"SELECT name FROM users WHERE name LIKE '{beginning}%'\"",
    ),
    _fault(
        _SQL,
        """
        def add_note(connection, author, text):
            statement = "INSERT INTO notes (author, text) VALUES (?, ?)"
            connection.execute(statement, (author, text))
            connection.commit()
        """,
        'VALUES (?, ?)"\n    connection.execute(statement, (author, text))',
        "VALUES ('{}', '{}')\".format(author, text)\n    connection.execute(statement)",
    ),
    _fault(
        _SWALLOWED,
        """
        def saved(report, path):
            try:
                path.write_text(report.rendered(), encoding="utf-8")
            except OSError as error:
                raise ReportNotSaved(path) from error
            return path
        """,
        "except OSError as error:\n        raise ReportNotSaved(path) from error",
        "except OSError:\n        pass",
    ),
    _fault(
        _SWALLOWED,
        """
        def charge(card, amount, gateway):
            try:
                receipt = gateway.charge(card, amount)
            except GatewayError:
                log.exception("charging %s failed", card.last_digits)
                raise
            return receipt.number
        """,
        '    log.exception("charging %s failed", card.last_digits)\n        raise',
        "    return None",
    ),
    _fault(
        _SWALLOWED,
        """
        def migrate(database, steps):
            for step in steps:
                try:
                    step.apply(database)
                except MigrationError:
                    database.rollback()
                    raise
            database.commit()
        """,
        "            database.rollback()\n            raise",
        "            continue",
    ),
    _fault(
        _SWALLOWED,
        """
        def settings_of(path):
            try:
                return json.loads(path.read_text(encoding="utf-8"))
            except FileNotFoundError:
                return {}
        """,
        "except FileNotFoundError:\n        return {}",
        "except Exception:\n        pass",
    ),
    _fault(
        _SWALLOWED,
        """
        async def deliver(queue, send):
            while True:
                message = await queue.get()
                try:
                    await send(message)
                except ConnectionError:
                    queue.put_nowait(message)
                    await asyncio.sleep(RETRY_SECONDS)
        """,
        "except ConnectionError:\n            queue.put_nowait(message)\n"
        "            await asyncio.sleep(RETRY_SECONDS)",
        "except BaseException:\n            pass",
    ),
    _fault(
        _LEAK,
        """
        def first_line(path):
            with open(path, encoding="utf-8") as file:
                return file.readline().rstrip()
        """,
        'with open(path, encoding="utf-8") as file:\n        return file.readline().rstrip()',
        'file = open(path, encoding="utf-8")\n    return file.readline().rstrip()',
    ),
    _fault(
        _LEAK,
        """
        def answers(host, port, question):
            with socket.create_connection((host, port), timeout=5) as link:
                link.sendall(question)
                return link.recv(4096)
        """,
        "with socket.create_connection((host, port), timeout=5) as link:\n"
        "        link.sendall(question)\n        return link.recv(4096)",
        "link = socket.create_connection((host, port), timeout=5)\n    link.sendall(question)\n"
        "    return link.recv(4096)",
    ),
    _fault(
        _LEAK,
        """
        def count_rows(path):
            connection = sqlite3.connect(path)
            try:
                return connection.execute("SELECT count(*) FROM rows").fetchone()[0]
            finally:
                connection.close()
        """,
        'try:\n        return connection.execute("SELECT count(*) FROM rows").fetchone()[0]\n'
        "    finally:\n        connection.close()",
        'return connection.execute("SELECT count(*) FROM rows").fetchone()[0]',
    ),
    _fault(
        _LEAK,
        """
        def increment(counter, lock):
            lock.acquire()
            try:
                counter.value += step_of(counter)
            finally:
                lock.release()
        """,
        "try:\n        counter.value += step_of(counter)\n    finally:\n        lock.release()",
        "counter.value += step_of(counter)\n    lock.release()",
    ),
    _fault(
        _LEAK,
        """
        def unpacked(archive, folder):
            with zipfile.ZipFile(archive) as packed:
                names = packed.namelist()
                packed.extractall(folder)
            return [folder / name for name in names]
        """,
        "with zipfile.ZipFile(archive) as packed:\n        names = packed.namelist()\n"
        "        packed.extractall(folder)\n",
        "packed = zipfile.ZipFile(archive)\n    names = packed.namelist()\n    packed.extractall(folder)\n",
    ),
    _fault(
        _AWAIT,
        """
        async def greet(session, name):
            user = await session.find_user(name)
            return f"Hello {user.full_name}"
        """,
        "user = await session.find_user(name)",
        "user = session.find_user(name)",
    ),
    _fault(
        _AWAIT,
        """
        async def shut_down(server):
            server.stop_accepting()
            await server.wait_closed()
            log.info("all connections are closed")
        """,
        "await server.wait_closed()",
        "server.wait_closed()",
    ),
    _fault(
        _AWAIT,
        """
        async def pages(client, addresses):
            found = []
            for address in addresses:
                response = await client.get(address)
                found.append(response.text)
            return found
        """,
        "response = await client.get(address)",
        "response = client.get(address)",
    ),
    _fault(
        _AWAIT,
        """
        async def transfer(source, target, amount):
            async with source.lock:
                await source.withdraw(amount)
                await target.deposit(amount)
        """,
        "await target.deposit(amount)",
        "target.deposit(amount)",
    ),
    _fault(
        _AWAIT,
        """
        async def cached(cache, key, make):
            value = await cache.get(key)
            if value is None:
                value = await make(key)
                await cache.set(key, value)
            return value
        """,
        "value = await make(key)",
        "value = make(key)",
    ),
    _fault(
        _DEFAULT,
        """
        def collect(node, found=None):
            found = [] if found is None else found
            found.append(node.name)
            for child in node.children:
                collect(child, found)
            return found
        """,
        "found=None):\n    found = [] if found is None else found",
        "found=[]):",
    ),
    _fault(
        _DEFAULT,
        """
        def request(address, headers=None):
            headers = dict(headers or {})
            headers["user-agent"] = AGENT
            return Request(address, headers=headers)
        """,
        "headers=None):\n    headers = dict(headers or {})",
        "headers={}):",
    ),
    _fault(
        _DEFAULT,
        """
        class Basket:
            def __init__(self, owner, items=None):
                self.owner = owner
                self.items = list(items or ())

            def add(self, item):
                self.items.append(item)
        """,
        "items=None):\n        self.owner = owner\n        self.items = list(items or ())",
        "items=[]):\n        self.owner = owner\n        self.items = items",
    ),
    _fault(
        _DEFAULT,
        """
        def visited(graph, start, seen=None):
            if seen is None:
                seen = set()
            seen.add(start)
            for neighbour in graph[start] - seen:
                visited(graph, neighbour, seen)
            return seen
        """,
        "seen=None):\n    if seen is None:\n        seen = set()\n",
        "seen=set()):\n",
    ),
    _fault(
        _DEFAULT,
        """
        def register(name, handler, *, table=None):
            table = {} if table is None else table
            table.setdefault(name, []).append(handler)
            return table
        """,
        "table=None):\n    table = {} if table is None else table",
        "table={}):",
    ),
    _fault(
        _BOUND,
        """
        def steps(values):
            changes = []
            for at in range(len(values) - 1):
                changes.append(values[at + 1] - values[at])
            return changes
        """,
        "range(len(values) - 1)",
        "range(len(values))",
    ),
    _fault(
        _BOUND,
        """
        def last_of(queue):
            if not queue:
                return None
            return queue[len(queue) - 1]
        """,
        "queue[len(queue) - 1]",
        "queue[len(queue)]",
    ),
    _fault(
        _BOUND,
        """
        def page(entries, number, size):
            first = number * size
            if first >= len(entries):
                raise IndexError(number)
            return entries[first], entries[first : first + size]
        """,
        "if first >= len(entries):",
        "if first > len(entries):",
    ),
    _fault(
        _BOUND,
        """
        def place_of(ordered, wanted):
            low, high = 0, len(ordered) - 1
            while low <= high:
                middle = (low + high) // 2
                if ordered[middle] == wanted:
                    return middle
                if ordered[middle] < wanted:
                    low = middle + 1
                else:
                    high = middle - 1
            return None
        """,
        "low, high = 0, len(ordered) - 1",
        "low, high = 0, len(ordered)",
    ),
    _fault(
        _BOUND,
        """
        def skip_blank(text, at):
            while at < len(text) and text[at].isspace():
                at += 1
            return at
        """,
        "while at < len(text) and text[at].isspace():",
        "while text[at].isspace():",
    ),
    _fault(
        _SECRET,
        """
        def connected():
            password = os.environ["SHOP_DATABASE_PASSWORD"]
            return connect(host="db.shop.internal", user="shop", password=password)
        """,
        'os.environ["SHOP_DATABASE_PASSWORD"]',
        '"sommer-im-garten-81"',
    ),
    _fault(
        _SECRET,
        """
        def signed(payload):
            key = settings.signing_key.encode()
            return hmac.new(key, payload, hashlib.sha256).hexdigest()
        """,
        "settings.signing_key.encode()",
        'b"8f41c07be2d94a6fb35e90d2"',
    ),
    _fault(
        _SECRET,
        """
        def weather(place):
            query = {"place": place, "token": load_token("weather")}
            return http.get(WEATHER_ADDRESS, params=query).json()
        """,
        'load_token("weather")',
        '"wx-5d0a7719cc3e4f18b6"',
    ),
    _fault(
        _SECRET,
        """
        class MailSettings:
            host = "mail.shop.internal"
            user = "robot"
            password = field(default_factory=password_from_keyring)
        """,
        "field(default_factory=password_from_keyring)",
        '"briefkasten!2024"',
    ),
    _fault(
        _SECRET,
        """
        def is_admin(request):
            given = request.headers.get("x-admin-token", "")
            return secrets.compare_digest(given, request.app.admin_token)
        """,
        "request.app.admin_token",
        '"letmein-on-monday"',
    ),
)
