"""A visitor without a browser: Streamlit's own messages over a websocket, as its page in a browser sends them."""

from time import perf_counter
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

_IS_OVER = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
_KEPT_FOR = 2  # runs that a browser keeps a message it was told to keep


class Fault(Exception):
    """The page said that something went wrong, or is not the page it should be."""


class Visitor:
    """Somebody with a window open on the first page, which is the list of clients."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.messages = self.bytes = 0
        self._socket: ClientConnection
        self._page = ""
        self._runs = 0
        self._boxes: dict[str, Any] = {}  # the selectboxes on the page, by id
        self._texts: dict[str, Any] = {}
        self._menus: dict[str, Any] = {}
        self._fragments: dict[str, str] = {}  # the part of the page that a widget runs alone, by the widget's id
        self._asks_itself: dict[
            str, float
        ] = {}  # the seconds after which a part of the page asks for itself, by its id
        self._kept: dict[str, tuple[int, ForwardMsg]] = {}  # messages that need not be sent again, by hash

    async def __aenter__(self) -> Self:
        address = urlsplit(self.url)
        scheme = "wss" if address.scheme == "https" else "ws"
        self._socket = await connect(
            f"{scheme}://{address.netloc}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            origin=f"{address.scheme}://{address.netloc}",  # type: ignore[arg-type]
            max_size=None,
            open_timeout=60,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._socket.close()

    async def arrive(self) -> float:
        """Open the page; how many seconds it took until its script had finished. Raises Fault."""
        return await self._run("")

    def choices(self, key: str) -> list[str]:
        """What can be chosen in the menu of this key."""
        return list(self._menus[self._menu(key)].options)

    async def choose(self, key: str, choice: str) -> float:
        """Choose this in the menu of this key; how many seconds until the script had finished. Raises Fault."""
        menu = self._menu(key)
        return await self._run(self._fragments.get(menu, ""), clicked=(menu, choice))

    async def lie_open(self) -> float:
        """Let the page ask once for what it asks for while nobody clicks; how often it does so, in times a second.
        Raises Fault."""
        for part in self._asks_itself:
            await self._run(part, nobody_clicked=True)
        return sum(1 / every for every in self._asks_itself.values())

    def _menu(self, key: str) -> str:
        """The menu of this key."""
        found = [each for each in self._menus if each.split("-", 2)[-1] == f"{key} menu"]
        if not found:
            raise Fault(f"no menu {key} on the page")
        return found[-1]

    async def _run(
        self, fragment: str, *, clicked: tuple[str, str] | None = None, nobody_clicked: bool = False
    ) -> float:
        began = perf_counter()
        await self._socket.send(self._asked(fragment, clicked, nobody_clicked=nobody_clicked))
        seen: set[str] = set()
        faults: list[str] = []
        while True:
            received = await self._socket.recv()
            assert isinstance(received, bytes)
            self.messages += 1
            self.bytes += len(received)
            message = ForwardMsg.FromString(received)
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self._page = message.new_session.page_script_hash
                if not fragment:
                    self._asks_itself.clear()
            elif kind == "auto_rerun":
                self._asks_itself[message.auto_rerun.fragment_id] = message.auto_rerun.interval
            elif kind == "script_finished":
                if message.script_finished in _IS_OVER:
                    break
                if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    raise Fault("the script does not compile")
            elif kind in ("delta", "ref_hash"):
                self._look_at(self._whole(message), seen, faults)
        took = perf_counter() - began
        self._runs += 1
        if not fragment:  # what a run of the whole page did not show is not there any more
            for held in (self._boxes, self._texts, self._menus, self._fragments):
                for gone in held.keys() - seen:
                    held.pop(gone)
        if faults:
            raise Fault("; ".join(faults))
        return took

    def _asked(self, fragment: str, clicked: tuple[str, str] | None, *, nobody_clicked: bool) -> bytes:
        asked = BackMsg()
        state = asked.rerun_script
        state.page_script_hash = self._page
        state.fragment_id = fragment
        state.is_auto_rerun = nobody_clicked
        for box, element in self._boxes.items():
            chosen = element.options[element.default] if element.HasField("default") and element.options else None
            state.widget_states.widgets.append(WidgetState(id=box, string_value=chosen))
        for box, element in self._texts.items():
            state.widget_states.widgets.append(WidgetState(id=box, string_value=element.default))
        if clicked is not None:
            menu, choice = clicked
            of_menu = WidgetState(id=menu)
            of_menu.string_trigger_value.data = choice
            state.widget_states.widgets.append(of_menu)
        self._kept = {key: kept for key, kept in self._kept.items() if self._runs - kept[0] < _KEPT_FOR}
        state.cached_message_hashes.extend(self._kept)
        state.context_info.locale = "en-GB"
        state.context_info.timezone = "Europe/Brussels"
        state.context_info.url = self.url
        return asked.SerializeToString()

    def _whole(self, message: ForwardMsg) -> ForwardMsg:
        """The message, or the one that it stands for."""
        if message.WhichOneof("type") == "ref_hash":
            whole = self._kept[message.ref_hash][1]
            self._kept[message.ref_hash] = (self._runs, whole)
            return whole
        if message.metadata.cacheable:
            self._kept[message.hash] = (self._runs, message)
        return message

    def _look_at(self, message: ForwardMsg, seen: set[str], faults: list[str]) -> None:
        if message.delta.WhichOneof("type") != "new_element":
            return
        element, kind = message.delta.new_element, message.delta.new_element.WhichOneof("type")
        if kind == "exception":
            faults.append(element.exception.message or element.exception.type)
        elif kind == "alert" and element.alert.format in (element.alert.ERROR, element.alert.WARNING):
            faults.append(element.alert.body)
        elif kind in ("selectbox", "text_input", "menu_button"):
            widget = getattr(element, kind)
            held = {"selectbox": self._boxes, "text_input": self._texts, "menu_button": self._menus}[kind]
            held.pop(widget.id, None)  # the newest comes last
            held[widget.id] = widget
            seen.add(widget.id)
            if message.delta.fragment_id:
                self._fragments[widget.id] = message.delta.fragment_id
