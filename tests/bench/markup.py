# SPDX-License-Identifier: GPL-2.0-or-later
"""HTML and SVG from Python values: everything that is not markup is escaped, every element is closed."""
import html


class Markup(str):
    """Text that is markup and not escaped again."""


def join(*parts):
    return Markup("".join(part if isinstance(part, Markup) else html.escape(str(part)) for part in parts
                          if part is not None))


def tag(name, /, *children, **attributes):
    """<name ...>children</name>. class_ is class, stroke_width stroke-width; an attribute that is None is left out."""
    written = "".join(f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
                      for key, value in attributes.items() if value is not None)
    return Markup(f"<{name}{written}>{join(*children)}</{name}>")


def void(name, /, **attributes):
    """An element without content, as HTML wants it closed."""
    return Markup(tag(name, **attributes).replace(f"></{name}>", " />"))


def line(*parts):
    """Markup on a line of its own, so that the page can be read and compared."""
    return join(*parts, Markup("\n"))
