"""The calls of OpenAI's Python client: prints one JSON object, name -> answer or error, for the place given."""

import json
import sys

import openai

url, gone_url, key = sys.argv[1:4]
MESSAGES = [{"role": "user", "content": "ping"}]


def client_at(where=url, api_key=key):
    return openai.OpenAI(api_key=api_key, base_url=f"{where}/v1", max_retries=0, timeout=10)


def azure(deployment):
    return openai.AzureOpenAI(
        api_key=key,
        azure_endpoint=url,
        api_version="2024-10-21",
        azure_deployment=deployment,
        max_retries=0,
        timeout=10,
    )


def chat(client, **more):
    return client.chat.completions.create(**{"model": "gpt-4o", "messages": MESSAGES, **more})


def streamed(client, **more):
    return [chunk.to_dict() for chunk in chat(client, stream=True, **more)]


def sound(**more):
    asked = {"model": "tts-1", "input": "ping", "voice": "alloy", **more}
    return client_at().audio.speech.create(**asked).read().decode()


def vectors(**more):
    return client_at().embeddings.create(model="text-embedding-3-small", **more).to_dict()


def image(**more):
    return client_at().images.generate(model="dall-e-3", prompt="a dot", **more).to_dict()


CALLS = {
    "chat": lambda: chat(client_at()).to_dict(),
    "chat, streamed": lambda: streamed(client_at()),
    "chat, streamed, with usage": lambda: streamed(client_at(), stream_options={"include_usage": True}),
    "completion": lambda: client_at()
    .completions.create(model="gpt-3.5-turbo-instruct", prompt="ping")
    .to_dict(),
    "embeddings, packed by default": lambda: vectors(input=["one", "two"]),
    "embeddings as numbers": lambda: vectors(input="one", encoding_format="float"),
    "embeddings as base64": lambda: vectors(input="one", encoding_format="base64"),
    "image as a link": lambda: image(),
    "image as base64": lambda: image(response_format="b64_json"),
    "speech": lambda: sound(),
    "speech as wav": lambda: sound(response_format="wav"),
    "models": lambda: sorted(model.id for model in client_at().models.list()),
    "azure: chat": lambda: chat(azure("my-gpt-4o")).to_dict(),
    "azure: chat, streamed": lambda: streamed(azure("my-gpt-4o")),
    "gpt-bad-request": lambda: chat(client_at(), model="gpt-bad-request"),
    "gpt-wrong-key": lambda: chat(client_at(), model="gpt-wrong-key"),
    "gpt-forbidden": lambda: chat(client_at(), model="gpt-forbidden"),
    "gpt-not-found": lambda: chat(client_at(), model="gpt-not-found"),
    "gpt-conflict": lambda: chat(client_at(), model="gpt-conflict"),
    "gpt-unprocessable": lambda: chat(client_at(), model="gpt-unprocessable"),
    "gpt-too-often": lambda: chat(client_at(), model="gpt-too-often", stream=True),
    "gpt-crashed": lambda: chat(client_at(), model="gpt-crashed"),
    "gpt-overloaded": lambda: chat(client_at(), model="gpt-overloaded"),
    "a key that nobody gave out": lambda: chat(client_at(api_key="sk-another")),
    "a server that is not there": lambda: chat(client_at(where=gone_url)),
}


def outcome(call):
    try:
        return {"answer": call()}
    except openai.APIError as error:
        return {"raised": " ".join([type(error).__name__, str(getattr(error, "status_code", ""))]).strip()}


json.dump({name: outcome(call) for name, call in CALLS.items()}, sys.stdout)
