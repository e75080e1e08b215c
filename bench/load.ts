import { Agent, request } from 'node:http'

/** What is POSTed, again and again. */
export interface Shot {
  headers: Record<string, string>
  body: string
}

export interface Load {
  /** Milliseconds from each request to its whole answer. */
  latencies: number[]
  /** Milliseconds from the first request to the last answer. */
  elapsed: number
}

/** Posts so many requests over so many connections, each as soon as the answer before it is there; all must be answered 200. */
export async function load(port: number, shots: readonly Shot[], count: number, connections: number): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const latencies: number[] = []
  let next = 0
  const connection = async () => {
    while (next < count) {
      const shot = shots[next++ % shots.length]!
      const began = performance.now()
      await post(agent, port, shot)
      latencies.push(performance.now() - began)
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: connections }, connection))
  const elapsed = performance.now() - began
  agent.destroy()
  return { latencies, elapsed }
}

function post(agent: Agent, port: number, { headers, body }: Shot): Promise<void> {
  return new Promise((resolve, reject) => {
    const length = { 'content-length': Buffer.byteLength(body) }
    const sent = request({ agent, port, host: '127.0.0.1', method: 'POST', headers: { ...headers, ...length } })
    sent.once('error', reject)
    sent.once('response', (answer) => {
      const isGood = answer.statusCode === 200
      answer.resume()
      answer.once('error', reject)
      answer.once('end', () => (isGood ? resolve() : reject(new Error(`Cannot go on: answered ${answer.statusCode}`))))
    })
    sent.end(body)
  })
}
