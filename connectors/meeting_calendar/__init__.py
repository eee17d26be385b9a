"""A calendar in which meetings with citizens are booked and minuted (mødebooking)."""
