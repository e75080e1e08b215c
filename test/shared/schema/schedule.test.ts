import { describe, expect, it } from 'vitest'
import { scheduleProblems } from '../../../shared/schema/schedule.ts'

describe('scheduleProblems', () => {
  // As ParseStandard of robfig/cron v3, by which CDI and Kubernetes read it.
  it.each([
    '* * * * *',
    '? ? ? ? ?',
    '0 0 1 1 0',
    '59 23 31 12 6',
    '30 2 * * 0',
    '*/15 0-5,22,23 1-31/2 * *',
    '5/10 ?/2 * * *',
    '0 2 * JAN,jul-Dec sun',
    '0 2 * * Mon-fri/2',
    '00 02 * * *',
    '0 0 * * 3-3',
  ])('has nothing to say of "%s"', (schedule) => {
    expect(scheduleProblems(schedule)).toEqual([])
  })

  it.each([
    ['60 * * * *', 'the minute "60", wanted numbers from 0 to 59'],
    ['* 24 * * *', 'the hour "24", wanted numbers from 0 to 23'],
    ['* * 0 * *', 'the day of the month "0", wanted numbers from 1 to 31'],
    ['* * 1-32 * *', 'the day of the month "1-32"'],
    ['* * * 0 *', 'the month "0", wanted numbers from 1 to 12 or JAN to DEC'],
    ['* * * 13 *', 'the month "13"'],
    ['* * * january *', 'the month "january"'],
    ['* * * * 7', 'the day of the week "7", wanted numbers from 0 to 6 or SUN to SAT'],
    ['* * * * fri-mon', 'the day of the week "fri-mon"'],
    ['mon * * * *', 'the minute "mon"'],
    ['5-1 * * * *', 'the minute "5-1"'],
    ['1-2-3 * * * *', 'the minute "1-2-3"'],
    ['-5 * * * *', 'the minute "-5"'],
    ['*/0 * * * *', 'the minute "*/0"'],
    ['*/x * * * *', 'the minute "*/x"'],
    ['1/2/3 * * * *', 'the minute "1/2/3"'],
    ['*/99999999999999999999 * * * *', 'the minute "*/99999999999999999999"'],
    ['1, * * * *', 'the minute "1,"'],
    ['*-5 * * * *', 'the minute "*-5"'],
    ['1e1 * * * *', 'the minute "1e1"'],
    ['* * L * *', 'the day of the month "L"'],
  ])('says what is wrong with "%s"', (schedule, says) => {
    expect(scheduleProblems(schedule)).toEqual([expect.stringContaining(says)])
  })

  it('says what is wrong with each field', () => {
    expect(scheduleProblems('60 24 0 13 7')).toHaveLength(5)
  })
})
