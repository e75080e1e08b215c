import { createServer } from 'node:http'
import { environment } from '../../shared/config.ts'

/** The least that answers over HTTP. */
createServer((_, response) => response.end('OK')).listen(Number(environment()['PORT']))
