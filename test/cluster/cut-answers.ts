import { subscribe } from 'node:diagnostics_channel'
import type { ClientRequest, IncomingMessage } from 'node:http'

/**
 * Loaded before a script of the control plane: an answer that is cut, because the API server was killed in the middle of it, is
 * an error of its request. Node says that to the answer alone, where the scripts do not listen, and the node that they play would
 * wait for the rest of it for ever.
 */
subscribe('http.client.response.finish', (message) => {
  const { request, response } = message as { request: ClientRequest; response: IncomingMessage }
  response.once('aborted', () => {
    if (request.listenerCount('error') > 0) request.emit('error', new Error('The answer was cut'))
  })
})
