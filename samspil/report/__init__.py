"""Reports: tables of counts of persons with small cells suppressed, proved before anything is shown.

``counting`` makes the table, ``suppression`` chooses what is not shown, ``audit`` proves from the finished table that
nobody can work it out, ``layout`` writes it. The audit shares nothing with the suppression but the table.
"""
