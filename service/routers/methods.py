"""The methods that explain."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from fixlip_core.errors import UnknownMethodError
from fixlip_core.methods import METHODS, get_method
from service.access.required import Reader
from service.problems import ProblemError
from service.routers._responses import problems
from service.views import MethodList, MethodView

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/methods", tags=["catalogue"])


@router.get(
    "",
    operation_id="listMethods",
    summary="List the methods",
    response_description="Every method, the default first.",
    responses=problems({}),
)
def list_methods(_: Reader) -> MethodList:
    """Methods with the JSON schema of their parameters, their order and what an explanation costs in passes."""
    return MethodList(items=[MethodView.of(spec) for spec in METHODS.values()])


@router.get(
    "/{name}",
    operation_id="getMethod",
    summary="Read about a method",
    response_description="The method.",
    responses=problems({404: "No method has this name."}),
)
def get_method_by_name(name: str, _: Reader) -> MethodView:
    """One method, as in the list."""
    try:
        return MethodView.of(get_method(name))
    except UnknownMethodError as error:
        raise ProblemError(404, error.code, str(error)) from error
