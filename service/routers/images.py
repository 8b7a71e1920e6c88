"""Uploading images, which explanations may then name instead of bringing their own."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response

from fixlip_core.errors import InputError
from service.access.required import Reader, Submitter
from service.backend import BackendDep
from service.documents import IMAGE_ENCODING
from service.jobs.inputs import IMAGE
from service.jobs.uploads import Upload
from service.pictures import picture_in
from service.problems import ProblemError
from service.requests import FORM, read_form
from service.routers._responses import problems

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/images", tags=["images"])

_FILE: Final[dict[str, Any]] = {
    "type": "string",
    "contentMediaType": "application/octet-stream",
    "description": "The image file: PNG, JPEG, WebP, GIF (first frame), BMP or TIFF.",
}
_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        FORM: {
            "schema": {
                "title": "ImageForm",
                "type": "object",
                "properties": {"image": _FILE},
                "required": ["image"],
                "additionalProperties": False,
            },
            "encoding": IMAGE_ENCODING,
        },
        "image/*": {"schema": _FILE},
    },
}
_LOCATION: Final = {"Location": {"description": "Path of the uploaded image.", "schema": {"type": "string"}}}


async def _read_image(request: Request) -> bytes:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type.startswith("image/"):
        return await request.body()
    if content_type != FORM:
        raise ProblemError(
            415,
            "unsupported_content_type",
            f"the content type must be {FORM}, or image/png or another of an image, not {content_type or 'none'}",
            headers={"Accept-Post": f"{FORM}, image/*"},
        )
    fields = await read_form(request)
    unknown = next((name for name in fields if name != "image"), None)
    if unknown is not None:
        raise InputError(f"{unknown} is unknown; the only field is image", field=unknown, code="extra_forbidden")
    if "image" not in fields:
        raise InputError("there is no image; send the file in the field image", field="image", code="missing")
    data: bytes = fields["image"]
    return data


@router.post(
    "",
    operation_id="createImage",
    summary="Upload an image",
    status_code=201,
    response_description="The image is stored for a while.",
    responses={
        201: {"headers": _LOCATION},
        **problems(
            {
                400: "The body is not what its content type says.",
                413: "The body or the image has too many bytes.",
                415: "Neither of the content types, or not an image.",
                422: "The image cannot be accepted.",
                503: "Redis or the storage does not answer.",
            }
        ),
    },
    openapi_extra={"requestBody": _BODY},
)
def create_image(
    who: Submitter,  # first: nothing is read of whoever is not let in
    data: Annotated[bytes, Depends(_read_image)],
    backend: BackendDep,
    request: Request,
    response: Response,
) -> Upload:
    """Store an image that several explanations are to be made of: as the file itself, or as a form's field `image`.

    Explanations name it by its `image_id`, and keep what they need of it when it expires or is deleted.
    """
    picture = picture_in(backend, data)
    backend.quotas.check_submission(who, passes=0, bytes=len(picture.plain))
    upload = backend.uploads.create(
        backend.bundles.add({IMAGE: picture.plain}),
        tenant=who.tenant,
        sha256=picture.sha256,
        size=picture.size,
        size_bytes=len(data),
    )
    response.headers["Location"] = f"{request.scope.get('root_path', '')}{router.prefix}/{upload.id}"
    return upload


@router.get(
    "/{image_id}",
    operation_id="getImage",
    summary="Read what is known of an uploaded image",
    response_description="The uploaded image.",
    responses=problems({404: "There is no such image, or it has expired.", 503: "Redis does not answer."}),
)
def get_image(image_id: str, who: Reader, backend: BackendDep) -> Upload:
    """Its size and digest, and when it expires."""
    return backend.uploads.get(image_id, tenant=who.tenant)[0]


@router.delete(
    "/{image_id}",
    operation_id="deleteImage",
    summary="Delete an uploaded image",
    status_code=204,
    response_description="It is deleted.",
    responses=problems({404: "There is no such image, or it has expired.", 503: "Redis does not answer."}),
)
def delete_image(image_id: str, who: Submitter, backend: BackendDep) -> None:
    """Explanations that were made of it, or will be of what was submitted already, are not touched."""
    backend.uploads.delete(image_id, tenant=who.tenant)
