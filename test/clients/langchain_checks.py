"""LangChain's Python client against the server named on the command line."""

import asyncio

import openai
from checks import arguments, run_checks
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI, OpenAI

BASE_URL, MODEL = arguments()
FRANCE = "Name the capital city of France."
STORY = "Tell me a long story about a river and a mill."


def chat(**changes):
    settings = {"model": MODEL, "base_url": BASE_URL, "api_key": "none", "temperature": 0, "max_retries": 0, "max_tokens": 24}
    return ChatOpenAI(**{**settings, **changes})


def check_invokes_with_usage():
    answer = chat().invoke([SystemMessage("You are a helpful assistant."), HumanMessage(FRANCE)])
    assert "Paris" in answer.content
    assert answer.usage_metadata["output_tokens"] > 3
    assert answer.response_metadata["finish_reason"] in ("stop", "length")


def check_streams_in_pieces():
    chunks = list(chat(max_tokens=32, stream_usage=True).stream(STORY))
    pieces = [chunk.content for chunk in chunks if chunk.content]
    assert len(pieces) > 5
    assert "".join(pieces) == chat(max_tokens=32).invoke(STORY).content
    assert sum((chunk.usage_metadata or {}).get("output_tokens", 0) for chunk in chunks) == 32


def check_stops():
    assert "Paris" not in chat().invoke(FRANCE, stop=["Paris"]).content


def check_returns_log_probabilities():
    answer = chat(logprobs=True, top_logprobs=2).invoke(FRANCE)
    assert len(answer.response_metadata["logprobs"]["content"][0]["top_logprobs"]) == 2


def check_repeats_a_seed():
    first, second = (chat(temperature=1, seed=8).invoke(STORY).content for _ in range(2))
    assert first == second


def check_batches():
    for answer in chat().batch([FRANCE] * 3):
        assert "Paris" in answer.content


def check_runs_asynchronously():
    assert "Paris" in asyncio.run(chat().ainvoke(FRANCE)).content


def check_continues_text():
    model = OpenAI(model=MODEL, base_url=BASE_URL, api_key="none", temperature=0, max_tokens=6, max_retries=0)
    assert "Paris" in model.invoke("The capital of France is")


def check_names_a_missing_model():
    try:
        chat(model="no-such-model").invoke(FRANCE)
    except openai.NotFoundError as error:
        assert error.code == "model_not_found"
    else:
        raise AssertionError("expected NotFoundError")


if __name__ == "__main__":
    run_checks(globals())
