import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type Outcome, persist } from '../../../local/broker/attempts.ts'

const policy = { retry: 2, pause: () => 0, timeout: 20 }
const taken: Outcome = { status: 202, headers: {} }
const open = () => new AbortController().signal

/** An attempt that nobody answers, and whether it was told that nobody waits any longer. */
function silence() {
  const signals: AbortSignal[] = []
  return {
    signals,
    attempt: (signal: AbortSignal) => {
      signals.push(signal)
      return new Promise<Outcome>(() => undefined)
    },
  }
}

describe('a delivery', () => {
  it('that nobody answers in time is broken off, and made again as often as it may', async () => {
    const { signals, attempt } = silence()
    expect(await persist(policy, open(), attempt)).toEqual({ status: 0, headers: {} })
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true])
  })

  it('that is answered in time is not broken off, then or later', async () => {
    const signals: AbortSignal[] = []
    const answered = persist(policy, open(), async (signal) => {
      signals.push(signal)
      return taken
    })
    expect(await answered).toBe(taken)
    await sleep(40)
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
  })

  it('is made again after an answer that comes too late', async () => {
    let attempts = 0
    const late = async () => {
      attempts += 1
      if (attempts === 1) await sleep(60)
      return taken
    }
    expect(await persist(policy, open(), late)).toBe(taken)
    expect(attempts).toBe(2)
  })

  it('ends when the Broker closes, and so does its attempt', async () => {
    const closing = new AbortController()
    const { signals, attempt } = silence()
    const delivery = persist({ ...policy, timeout: 60_000 }, closing.signal, attempt)
    closing.abort(new Error('closed'))
    await expect(delivery).rejects.toThrow('closed')
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  })

  it('does not begin once the Broker is closed', async () => {
    const { signals, attempt } = silence()
    await expect(persist(policy, AbortSignal.abort(new Error('closed')), attempt)).rejects.toThrow('closed')
    expect(signals).toEqual([])
  })

  it('fails as its attempt does', async () => {
    await expect(persist(policy, open(), () => Promise.reject(new Error('no such host')))).rejects.toThrow(
      'no such host',
    )
  })
})
