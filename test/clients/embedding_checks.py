"""The embedding classes of OpenAI's, LangChain's and LlamaIndex's Python clients against the server named on the command line."""

import asyncio
import math

import openai
from checks import arguments, run_checks
from langchain_openai import OpenAIEmbeddings
from llama_index.embeddings.openai import OpenAIEmbedding

BASE_URL, MODEL = arguments()
TEXTS = ["A cat sleeps on the sofa.", "A kitten naps on the couch.", "The bank raised its interest rates."]

client = openai.OpenAI(base_url=BASE_URL, api_key="none", max_retries=0)


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def assert_meaning(vectors):
    assert [len(vector) for vector in vectors] == [384] * 3
    assert cosine(vectors[0], vectors[1]) > 0.6
    assert cosine(vectors[0], vectors[2]) < 0.2


def check_openai_embeds_a_list():
    answer = client.embeddings.create(model=MODEL, input=TEXTS)
    assert_meaning([item.embedding for item in answer.data])
    assert answer.usage.total_tokens == answer.usage.prompt_tokens > 20


def check_openai_gets_the_same_numbers_in_both_formats():
    floats = client.embeddings.create(model=MODEL, input=TEXTS[0], encoding_format="float").data[0].embedding
    decoded = client.embeddings.create(model=MODEL, input=TEXTS[0]).data[0].embedding
    assert all(abs(a - b) < 1e-7 for a, b in zip(floats, decoded))


def check_openai_embeds_asynchronously():
    async def all_at_once():
        async with openai.AsyncOpenAI(base_url=BASE_URL, api_key="none", max_retries=0) as asynchronous:
            return await asyncio.gather(*(asynchronous.embeddings.create(model=MODEL, input=text) for text in TEXTS))

    assert_meaning([answer.data[0].embedding for answer in asyncio.run(all_at_once())])


def check_openai_names_the_text_that_is_too_long():
    try:
        client.embeddings.create(model=MODEL, input=["cat", "word " * 600])
    except openai.BadRequestError as error:
        assert (error.code, error.param) == ("context_length_exceeded", "input[1]")
    else:
        raise AssertionError("expected BadRequestError")


def check_openai_answers_two_thousand_texts_as_one():
    answer = client.embeddings.create(model=MODEL, input=[f"Number {index}" for index in range(2048)])
    assert [item.index for item in answer.data] == list(range(2048))
    alone = client.embeddings.create(model=MODEL, input="Number 2047").data[0].embedding
    assert answer.data[2047].embedding == alone


def langchain():
    # Without it LangChain tokenizes by OpenAI's vocabulary and sends ids that mean something else here.
    return OpenAIEmbeddings(model=MODEL, base_url=BASE_URL, api_key="none", max_retries=0, check_embedding_ctx_length=False)


def check_langchain_embeds_documents_and_a_query():
    vectors = langchain().embed_documents(TEXTS)
    assert_meaning(vectors)
    assert langchain().embed_query(TEXTS[0]) == vectors[0]


def check_langchain_embeds_asynchronously():
    assert_meaning(asyncio.run(langchain().aembed_documents(TEXTS)))


def llama_index():
    return OpenAIEmbedding(model_name=MODEL, api_base=BASE_URL, api_key="none", max_retries=0)


def check_llama_index_embeds_a_batch_and_a_query():
    vectors = llama_index().get_text_embedding_batch(TEXTS)
    assert_meaning(vectors)
    assert cosine(llama_index().get_query_embedding(TEXTS[0]), vectors[0]) > 0.99999


def check_llama_index_embeds_asynchronously():
    assert_meaning(asyncio.run(llama_index().aget_text_embedding_batch(TEXTS)))


if __name__ == "__main__":
    run_checks(globals())
