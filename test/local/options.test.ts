import { describe, expect, it } from 'vitest'
import { readOptions } from '../../local/options.ts'

describe('readOptions', () => {
  it('has a value for everything', () => {
    expect(readOptions([])).toEqual({
      once: false,
      help: false,
      dir: '.drover',
      request: undefined,
      delays: 0.1,
      ports: { broker: 0, git: 0, events: 0 },
    })
  })

  it.each([
    ['--delays=2', 'Cannot start: --delays is "2", wanted a number from 0 to 1'],
    ['--delays=', 'Cannot start: --delays is "", wanted a number from 0 to 1'],
    ['--broker-port=x', 'Cannot start: --broker-port is "x", wanted a number from 0 to 65535'],
    ['--git-port=65536', 'Cannot start: --git-port is "65536", wanted a number from 0 to 65535'],
    ['--events-port=1.5', 'Cannot start: --events-port is "1.5", wanted a number from 0 to 65535'],
    ['--bogus', "Unknown option '--bogus'"],
  ])('refuses %s', (argument, message) => {
    expect(() => readOptions([argument])).toThrow(message)
  })
})
