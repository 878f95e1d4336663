"""OpenAI's Python client against the server named on the command line."""

import asyncio
import re

import openai
from checks import arguments, run_checks

BASE_URL, MODEL = arguments()
FRANCE = [{"role": "user", "content": "Name the capital city of France."}]
STORY = [{"role": "user", "content": "Tell me a long story about a river and a mill."}]

client = openai.OpenAI(base_url=BASE_URL, api_key="none", max_retries=0)


def ask(**changes):
    request = {"model": MODEL, "messages": FRANCE, "temperature": 0, "max_tokens": 24}
    return client.chat.completions.create(**{**request, **changes})


def error_of(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}")


def check_lists_and_retrieves_models():
    assert MODEL in [model.id for model in client.models.list()]
    assert client.models.retrieve(MODEL).object == "model"


def check_answers_with_usage():
    answer = ask()
    assert "Paris" in answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def check_streams_the_same_text():
    whole = ask(messages=STORY, max_tokens=32)
    text, usage = "", None
    for chunk in ask(messages=STORY, max_tokens=32, stream=True, stream_options={"include_usage": True}):
        if chunk.choices:
            text += chunk.choices[0].delta.content or ""
        usage = chunk.usage or usage
    assert text == whole.choices[0].message.content
    assert usage.completion_tokens == 32


def check_stops_before_a_stop_string():
    answer = ask(stop=["Paris"])
    assert "Paris" not in answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"


def check_gives_log_probabilities():
    answer = ask(logprobs=True, top_logprobs=2)
    content = answer.choices[0].logprobs.content
    assert "".join(entry.token for entry in content) == answer.choices[0].message.content
    assert all(entry.logprob <= 0 and len(entry.top_logprobs) == 2 for entry in content)


def check_makes_n_choices():
    answer = ask(messages=STORY, n=2, temperature=1, seed=3, max_tokens=8)
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert answer.usage.completion_tokens == 16


def check_repeats_a_seed():
    def sample(seed):
        return ask(messages=STORY, temperature=1, seed=seed).choices[0].message.content

    assert sample(21) == sample(21)
    assert sample(21) != sample(22)


def check_continues_text_with_log_probabilities():
    answer = client.completions.create(model=MODEL, prompt="The capital of France is", temperature=0, max_tokens=6, logprobs=2)
    choice = answer.choices[0]
    assert "Paris" in choice.text
    assert "".join(choice.logprobs.tokens) == choice.text
    assert len(choice.logprobs.token_logprobs) == len(choice.logprobs.tokens) == len(choice.logprobs.text_offset)


def check_names_a_missing_model():
    error = error_of(openai.NotFoundError, lambda: ask(model="no-such-model"))
    assert error.code == "model_not_found"
    assert error.body["message"] and error.body["type"] == "invalid_request_error"


def check_names_a_bad_field():
    error = error_of(openai.BadRequestError, lambda: ask(top_p=7))
    assert (error.code, error.param) == ("invalid_request", "top_p")


def check_refuses_a_prompt_beyond_the_context():
    long = [{"role": "user", "content": "river stone window " * 60_000}]
    error = error_of(openai.BadRequestError, lambda: ask(messages=long))
    assert error.code == "context_length_exceeded"
    assert len(re.findall(r"\d{4,}", error.message)) >= 2


def check_closes_a_stream_early():
    with ask(messages=STORY, max_tokens=1000, stream=True) as stream:
        next(iter(stream))
    assert "Paris" in ask().choices[0].message.content


def check_asynchronous_requests_share_the_server():
    async def all_at_once():
        async with openai.AsyncOpenAI(base_url=BASE_URL, api_key="none", max_retries=0) as asynchronous:
            request = {"model": MODEL, "messages": FRANCE, "temperature": 0, "max_tokens": 24}
            return await asyncio.gather(*(asynchronous.chat.completions.create(**request) for _ in range(4)))

    for answer in asyncio.run(all_at_once()):
        assert "Paris" in answer.choices[0].message.content


if __name__ == "__main__":
    run_checks(globals())
