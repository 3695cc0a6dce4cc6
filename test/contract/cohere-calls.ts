import { CohereClient, CohereClientV2 } from 'cohere-ai'
import { KEY, type Call, type Place } from './place.ts'

const DOCUMENTS = ['snow', 'rain', 'hail']
const QUERY = 'what is white?'

const first = ({ url }: Place, token = KEY): CohereClient =>
  new CohereClient({ token, environment: url, maxRetries: 0 })
const second = ({ url }: Place, token = KEY): CohereClientV2 =>
  new CohereClientV2({ token, environment: url, maxRetries: 0 })

const refused = (model: string, raises: string): readonly Call[] => [
  {
    name: `cohere v2: ${model}`,
    raises,
    run: (place) => second(place).rerank({ model, query: QUERY, documents: DOCUMENTS }),
  },
  {
    name: `cohere v1: ${model}`,
    raises,
    run: (place) => first(place).rerank({ model, query: QUERY, documents: DOCUMENTS }),
  },
]

/** Every call of Cohere's own client, both of its versions. */
export const COHERE_CALLS: readonly Call[] = [
  {
    name: 'cohere v2: rerank',
    run: (place) => second(place).rerank({ model: 'rerank-v3.5', query: QUERY, documents: DOCUMENTS }),
  },
  {
    name: 'cohere v2: rerank, the best two',
    run: (place) =>
      second(place).rerank({ model: 'rerank-v3.5', query: QUERY, documents: DOCUMENTS, topN: 2 }),
  },
  {
    name: 'cohere v1: rerank',
    run: (place) => first(place).rerank({ model: 'rerank-v3.5', query: QUERY, documents: DOCUMENTS }),
  },
  {
    name: 'cohere v1: rerank, the best one',
    run: (place) =>
      first(place).rerank({ model: 'rerank-v3.5', query: QUERY, documents: DOCUMENTS, topN: 1 }),
  },
  ...refused('rerank-too-often', 'TooManyRequestsError 429'),
  ...refused('rerank-wrong-key', 'UnauthorizedError 401'),
  ...refused('rerank-not-found', 'NotFoundError 404'),
  ...refused('rerank-crashed', 'InternalServerError 500'),
  {
    name: 'cohere v2: a key that nobody gave out',
    raises: 'UnauthorizedError 401',
    run: (place) =>
      second(place, 'another').rerank({ model: 'rerank-v3.5', query: QUERY, documents: DOCUMENTS }),
  },
  {
    name: 'cohere v2: a server that is not there',
    raises: 'CohereError',
    run: ({ goneUrl }) =>
      second({ url: goneUrl, goneUrl }).rerank(
        { model: 'rerank-v3.5', query: QUERY, documents: DOCUMENTS },
        // After such a failure this client's timer goes on, and the process waits for it.
        { timeoutInSeconds: 2 },
      ),
  },
]
