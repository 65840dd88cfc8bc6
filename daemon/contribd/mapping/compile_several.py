"""The posts of a mapping that makes several of one record, compiled; every problem in them at once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from contribd.mapping.codegen import generate
from contribd.mapping.codes import Code
from contribd.mapping.compile_post import OF_MAPPING, OF_POSTS, PostCompiler, PostParts
from contribd.mapping.compiled import CompiledPart, CompiledRound, CompiledSeveral, Site, attributes
from contribd.mapping.expression import Expression
from contribd.mapping.kind import Kind, words
from contribd.mapping.mapping_texts import MappingTexts
from contribd.mapping.rules import MappingSpec, PartSpec, PostSpec
from contribd.mapping.scope import INDEX, LetName
from contribd.mapping.syntax import Access, Binary, Path
from contribd.mapping.tape import current_tape
from contribd.mapping.written import short


class _Post(NamedTuple):
    """One of the posts."""

    texts: MappingTexts
    parts: PostParts
    own_each: Expression | None
    needed: frozenset[LetName]
    """The lets that it uses: what stands beside posts is there for all of them."""

    @property
    def when(self) -> str | None:
        """Its condition in the form that is the same for the same one."""
        return None if self.parts.when is None else self.parts.when.normal


def makes_one(spec: MappingSpec) -> bool:
    """Whether every record of the mapping makes one post, whatever is in it."""
    if spec.each is not None:
        return False
    return spec.posts is None or (len(spec.posts) == 1 and spec.posts[0].when is None and spec.posts[0].each is None)


class SeveralCompiler:
    """Compiles the posts of one mapping."""

    def __init__(self, texts: MappingTexts, compiler: Callable[[MappingTexts], PostCompiler]) -> None:
        """``compiler``: that of a post, with the texts of its place."""
        self._texts = texts
        self._compiler = compiler

    def several(self, spec: MappingSpec) -> tuple[CompiledSeveral, list[PostParts]]:
        """The posts as they run, and as they are written."""
        every = None if spec.each is None else self._each(self._texts, spec.each, spec)
        written: Sequence[PartSpec] = spec.posts or [spec]
        posts = [self._post(spec, post, number, every) for number, post in enumerate(written)]
        self._same_rics(posts, every)
        parts = [_part(post, number) for number, post in enumerate(posts)]
        if every is None:
            rounds = [CompiledRound(post.own_each, (part,)) for post, part in zip(posts, parts, strict=True)]
        else:
            rounds = [CompiledRound(every, tuple(parts))]
        tape = current_tape()
        noted = None if tape is None else tape.part
        several = CompiledSeveral(tuple(rounds), spec.all_or_nothing, len(posts), noted)
        return several, [post.parts for post in posts]

    def _post(self, spec: MappingSpec, post: PartSpec, number: int, every: Expression | None) -> _Post:
        texts = self._texts.below("posts", number) if isinstance(post, PostSpec) else self._texts.below()
        when, source = (post.when, post.each) if isinstance(post, PostSpec) else (None, None)
        each = None if source is None else self._each(texts, source, post)
        if each is not None and every is not None:
            text = f"the mapping has each already: its posts are made for each element of {every.source}"
            texts.problem(("each",), text, key=True, code=Code.EACH_TWICE, cure="Remove one of them")
        if each is not None or every is not None:
            texts.element()
            self._no_table(texts)
        whose = OF_POSTS if isinstance(post, PostSpec) else OF_MAPPING
        begun = len(texts.sites)
        parts = self._compiler(texts).post(spec.name, post, whose, when)
        for one in (each, every):
            if one is not None:
                texts.keys_of_a_list(one, texts.sites[begun:])
        return _Post(texts, parts, each, _needed(parts, texts.sites[begun:]))

    def _each(self, texts: MappingTexts, source: str, post: PartSpec) -> Expression:
        """The list of a mapping, or of one of its posts."""
        each = texts.expression(source, ("each",))
        if not each.kind & Kind.LIST:
            text = f"each takes a list; this gives {words(each.kind)}"
            texts.problem(("each",), text, code=Code.EACH, cure=_list_meant(each))
        lets = [*post.let, *(name for one in getattr(post, "posts", None) or () for name in one.let)]
        text = "is computed for each element: each is asked before"
        texts.not_yet(each, ("each",), lets, text, "Write out what it stands for")
        return replace(each, run=generate(each.node))

    def _no_table(self, texts: MappingTexts) -> None:
        if INDEX.name in texts.scope.tables:
            text = "a table is called index, which is the position of the element where there is each"
            self._texts.problem(("name",), text, code=Code.TABLE_NAME, cure="Give the table another name")

    def _same_rics(self, posts: list[_Post], every: Expression | None) -> None:
        """Posts that would have the RIC and service of another, whatever the record."""
        first: dict[object, int] = {}
        for number, post in enumerate(posts):
            if (every or post.own_each) and post.when is None and not post.parts.differs():
                text = "every element is posted under the same RIC: it names neither item nor index"
                cure = "Name what tells the elements apart, as in {item.ric}; or give the post a when"
                post.texts.problem(("ric",), text, code=Code.SAME_RIC, cure=cure)
            key = post.parts.identity
            if key is None:
                continue
            other = first.setdefault((key, post.own_each and post.own_each.normal), number)
            whens = (posts[other].when, post.when)
            if other != number and (None in whens or whens[0] == whens[1]):
                text = f"posts[{other}] has the same RIC and service, whatever the record"
                cure = "Give one of them another RIC or service, or put the fields of both into one post"
                post.texts.problem(("ric",), text, code=Code.SAME_RIC, cure=cure)


def _list_meant(each: Expression) -> str:
    node = each.node
    if isinstance(node, Binary) and node.operator == "in" and isinstance(node.right, Path | Access):
        return f"Write each: {short(node.right)}; an element of it is item"
    return "Write the list of the elements, as in each: points"


def _part(post: _Post, number: int) -> CompiledPart:
    made, when = post.parts.post, post.parts.when
    lets = tuple(each for each in made.lets if each[0] in post.needed)
    given = {**attributes(made), "lets": lets if when is None else ()}
    return CompiledPart(**given, number=number, when=when, before=() if when is None else lets)


def _needed(parts: PostParts, sites: Sequence[Site]) -> frozenset[LetName]:
    readers = [site.expression for site in sites if site.section != "let"]
    needed: set[LetName] = set()
    for place, expression in reversed(parts.lets):
        if any(each.reads(place) for each in readers):
            needed.add(place)
            readers.append(expression)
    return frozenset(needed)
