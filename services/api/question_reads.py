"""The reads about questions: what is asked, the count and its history, what was decided."""

from typing import Literal

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from projections.answers import (
    AreaTallies,
    DecisionAnswer,
    QuestionHistory,
    QuestionList,
    QuestionTally,
    QuestionView,
    TallyOnDay,
)
from projections.queries import History, InTheFuture, questions
from services.api.bodies import invalid
from services.api.documenting import API, read_of
from services.api.negotiating import BOTH
from services.api.parameters import (
    AtPosition,
    AtStage,
    FirstDay,
    IsMandate,
    LastDay,
    OnDay,
    OneArea,
    OnePolicy,
    Paging,
    QuestionId,
    WaitFor,
    check_days,
    check_has_begun,
    said,
)
from services.api.reading import Reading
from services.assembly import System
from services.errors import Wrong

QUESTION = f"{API}/questions/{{question:path}}"


def add_question_reads(app: FastAPI, system: System, reading: Reading) -> None:
    """Add the routes. Longer paths come first, since an id may hold slashes."""
    ask, history = system.queries.ask, History(system.store, system.log)

    @app.get(f"{API}/questions", **read_of(QuestionList, "questions", formats=BOTH))
    async def list_questions(
        request: Request,
        page: Paging,
        area: OneArea = None,
        policy: OnePolicy = None,
        mandate: IsMandate = None,
        stage: AtStage = None,
        sort: Literal["position", "-position", "title", "-title", "voters", "-voters"] = "position",
        wait_for: WaitFor = None,
    ) -> Response:
        """All questions, or those that match, in the order in which they were opened unless asked otherwise."""
        return await reading.answer(
            request,
            lambda: ask(
                questions.question_list,
                page,
                sort,
                area=area,
                policy=policy,
                mandate=said(mandate),
                stage=stage,
            ),
            wait_for,
            formats=BOTH,
        )

    @app.get(
        f"{QUESTION}/tally", **read_of(QuestionTally | TallyOnDay, "questions", 409, formats=BOTH)
    )
    async def tally(
        request: Request,
        question: QuestionId,
        area: OneArea = None,
        at: AtPosition = None,
        on: OnDay = None,
        wait_for: WaitFor = None,
    ) -> Response:
        """The count, of the whole electorate or of one area's people: now, at a position, or on a day."""
        if at is not None and on is not None:
            raise invalid(Wrong("on", "give a position or a day, not both"))
        if at is not None:
            head = system.log.head()
            if at > head:
                raise InTheFuture(f"The log ends at {head}.")
            return await reading.answer(
                request,
                lambda: history.at(question, area, at),
                max(at, wait_for or 0),
                formats=BOTH,
            )
        if on is not None:
            check_has_begun(on)
            return await reading.answer(
                request, lambda: history.on(question, area, on), wait_for, formats=BOTH
            )
        return await reading.answer(
            request, lambda: ask(questions.tally, question, area), wait_for, formats=BOTH
        )

    @app.get(f"{QUESTION}/tallies", **read_of(AreaTallies, "questions", 409, formats=BOTH))
    async def area_tallies(
        request: Request, question: QuestionId, page: Paging, wait_for: WaitFor = None
    ) -> Response:
        """The count by the areas that choices name; none of these counts is part of another."""
        return await reading.answer(
            request,
            lambda: ask(questions.area_tallies, question, page),
            wait_for,
            formats=BOTH,
        )

    @app.get(f"{QUESTION}/history", **read_of(QuestionHistory, "questions", 409, formats=BOTH))
    async def question_history(
        request: Request,
        question: QuestionId,
        page: Paging,
        area: OneArea = None,
        first: FirstDay = None,
        last: LastDay = None,
        wait_for: WaitFor = None,
    ) -> Response:
        """How the count went: as it stood at the end of each day on which it changed."""
        check_days(first, last)
        return await reading.answer(
            request,
            lambda: history.by_day(question, area, page, first=first, last=last),
            wait_for,
            formats=BOTH,
        )

    @app.get(f"{QUESTION}/decision", **read_of(DecisionAnswer, "questions"))
    async def decision(
        request: Request, question: QuestionId, wait_for: WaitFor = None
    ) -> Response:
        """What was decided last, by which rule, and why."""
        return await reading.answer(request, lambda: ask(questions.decision, question), wait_for)

    @app.get(QUESTION, **read_of(QuestionView, "questions"))
    async def question(
        request: Request, question: QuestionId, wait_for: WaitFor = None
    ) -> Response:
        """Everything about one question."""
        return await reading.answer(
            request, lambda: ask(questions.question_view, question), wait_for
        )
