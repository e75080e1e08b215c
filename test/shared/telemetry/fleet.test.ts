import { afterEach, describe, expect, it, vi } from 'vitest'
import { showFleet } from '../../../shared/telemetry/fleet.ts'
import { registry } from '../../../shared/telemetry/metrics.ts'

const now = new Date('2030-01-01T12:00:00Z')
const open = (state: 'running' | 'undoing' | 'stranded', since: string, deadline: string) => ({
  lifecycle: 'provision' as const,
  state,
  since: `2030-01-01T${since}:00Z`,
  deadline: `2030-01-01T${deadline}:00Z`,
})
const page = async () =>
  (await registry.metrics())
    .split('\n')
    .filter((line) => /^drover_(runs|oldest|overdue|unreadable|free|sweep)/.test(line))

afterEach(() => vi.useRealTimers())

describe('the numbers of the fleet', () => {
  it('are not shown where nobody has looked, rather than as if all were well', async () => {
    expect(await page()).toEqual([])
  })

  it('count runs by state, and take no notice of stranded ones in what is still under way', async () => {
    vi.useFakeTimers()
    const runs = [
      open('running', '11:50', '12:20'),
      open('undoing', '11:30', '11:55'),
      open('stranded', '09:00', '09:30'),
    ]
    showFleet(
      { open: runs, unreadable: ['Cannot read one'], networks: [{ network: 'servers', family: 4, free: 7 }] },
      now,
    )
    const shown = await page()
    expect(shown).toEqual([
      'drover_runs{lifecycle="provision",state="running"} 1',
      'drover_runs{lifecycle="provision",state="undoing"} 1',
      'drover_runs{lifecycle="provision",state="stranded"} 1',
      'drover_oldest_run_seconds 1800',
      'drover_overdue_seconds 300',
      'drover_unreadable_records 1',
      'drover_free_addresses{network="servers",family="4"} 7',
      `drover_sweep_timestamp_seconds ${now.getTime() / 1_000}`,
    ])
    showFleet({ open: [], unreadable: [], networks: [] }, now)
    expect(await page()).toEqual([
      'drover_oldest_run_seconds 0',
      'drover_overdue_seconds 0',
      'drover_unreadable_records 0',
      `drover_sweep_timestamp_seconds ${now.getTime() / 1_000}`,
    ])
  })

  it('are withdrawn when they are too old to be believed, but for when they were found', async () => {
    vi.useFakeTimers()
    showFleet({ open: [open('running', '11:50', '12:20')], unreadable: [], networks: [] }, now)
    vi.advanceTimersByTime(179_000)
    expect(await page()).toContain('drover_oldest_run_seconds 600')
    vi.advanceTimersByTime(2_000)
    expect(await page()).toEqual([`drover_sweep_timestamp_seconds ${now.getTime() / 1_000}`])
  })
})
