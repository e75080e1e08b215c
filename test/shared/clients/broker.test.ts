import { afterEach, describe, expect, it } from 'vitest'
import { brokerPoster } from '../../../shared/clients/broker.ts'
import { requestEvent } from '../events.ts'
import { type Answers, listening } from './listening.ts'

const open: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})
async function brokerThat(answers: Answers) {
  const broker = await listening(answers)
  open.push(broker.close)
  return broker
}

describe('posting to the Broker', () => {
  it('sends the event in binary form', async () => {
    const { url, asked } = await brokerThat(() => ({ status: 202 }))
    await brokerPoster(`${url}/drover/default`)?.(requestEvent())
    expect(asked).toMatchObject([
      { method: 'POST', path: '/drover/default', headers: { 'ce-id': 'order-1', 'ce-specversion': '1.0' } },
    ])
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual(requestEvent().data)
  })

  it('says who posts with a token that is read at each use, where there is one', async () => {
    const { url, asked } = await brokerThat(() => ({ status: 202 }))
    const tokens = ['one', 'two']
    const post = brokerPoster(url, async () => tokens.shift() ?? 'none')
    await post?.(requestEvent())
    await post?.(requestEvent())
    await brokerPoster(url)?.(requestEvent())
    expect(asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer one', 'Bearer two', undefined])
  })

  it.each([400, 404, 500, 503])('throws when the Broker answers %i', async (status) => {
    const { url } = await brokerThat(() => ({ status }))
    await expect(brokerPoster(url)?.(requestEvent())).rejects.toMatchObject({
      reason: 'broken',
      message: `Cannot post dev.drover.provision.requested to the Broker: it answered ${status}`,
    })
  })

  it('throws when nobody answers', async () => {
    const { url } = await brokerThat(() => 'nothing')
    await expect(brokerPoster(url)?.(requestEvent())).rejects.toThrow()
  })

  it('is not there without a Broker', () => {
    expect(brokerPoster(undefined)).toBeUndefined()
  })
})
