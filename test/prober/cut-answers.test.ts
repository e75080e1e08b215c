import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, it, onTestFinished } from 'vitest'
import { listenAt } from '../../local/listen.ts'

it('a script of the control plane hears of an answer that is cut in the middle, and goes on', async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half of it')
    setTimeout(() => response.destroy(), 100)
  })
  onTestFinished(() => void server.close())
  const port = await listenAt(server, 0)
  // As the scripts ask: who waits for the end of an answer.
  const script = `require('node:http').get('http://127.0.0.1:${port}/', (response) => response.resume().on('end', () => console.log('whole')))
    .on('error', (error) => console.log(error.message))
    setTimeout(() => undefined, 1_000)`
  const preload = new URL('../cluster/cut-answers.ts', import.meta.url).href
  const child = spawn(process.execPath, ['--import', preload, '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  expect(await text(child.stdout)).toBe('The answer was cut\n')
})
